"""What runs on a GPU, without one: the meta device takes every branch that is not the CPU's."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from devices import Device
from references import networks

from harness.core.sections import Settings
from harness.core.types import Batch, Score
from harness.executors.executor import LostWorkerError
from harness.inputs.batch import load_batch
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.gradient_signs import signs_at_once, signs_one_by_one
from harness.passes.run import Run
from harness.passes.transfer import copied, numbers, on_device, on_host
from harness.scoring import engine
from harness.scoring import shard as shard_module
from harness.scoring.conditions import Conditions, is_lost
from harness.scoring.shard import ScoreShard, score_shard, score_table
from harness.spaces.space import spaces

GOLDEN = pd.read_parquet(Path(__file__).parent / "golden" / "scores.parquet")
SMALL = [("nb201", "digits"), ("darts_swap", "cifar10")]
LARGE = sorted(set(GOLDEN[["space", "task"]].itertuples(index=False, name=None)) - set(SMALL))
MOST = 6  # copies of weights, noise and results, none of them layer by layer


def smallest(space: str, task: str) -> pd.DataFrame:
    """Returns the stored scores of the network of a space with the fewest operations."""
    of_task = GOLDEN[(GOLDEN.space == space) & (GOLDEN.task == task)]
    key = of_task[of_task.proxy == "flops"].sort_values("value").key.iloc[0]
    return of_task[of_task.key == key]


def on_the_device(space: str, task: str, key: str, images: int) -> Run:
    home = spaces.get(space)
    inputs = InputSettings("gaussian", channels=1 if space == "darts_swap_c1" else None)
    if tasks.get(task).tokens:
        inputs = InputSettings()
    return Run(
        on_device(home.build(key, task, seed=0), "meta"),
        load_batch(tasks.get(task), inputs, 0, images).to("meta"),
        (0, key),
        redraw=lambda repeat: home.build(key, task, repeat),
        thin=partial(home.thin, key),
        theta=home.theta_params(key, task),
    )


@pytest.mark.parametrize(
    ("space", "task"), [*SMALL, *(pytest.param(*row, marks=pytest.mark.slow) for row in LARGE)]
)
def test_no_proxy_waits_for_the_device_layer_by_layer(space: str, task: str) -> None:
    stored = smallest(space, task)
    run = on_the_device(space, task, stored.key.iloc[0], int(stored.batch.iloc[0]))
    on_cpu = stored.set_index("proxy").status
    waits = {}
    for name in sorted(on_cpu.index):  # of the dearest networks golden scores hold some proxies
        with Device() as device:
            score = engine.score(run, [name])[name]
        assert (score.status == "error") == (on_cpu[name] == "error"), (name, score.message)
        waits[name] = sum(device.waits.values())
        assert device.draws == 0, name
    assert {name: n for name, n in waits.items() if n > MOST} == {}
    assert not waits["params"] and not waits["flops"]


def test_the_stand_in_sees_who_waits() -> None:
    x = torch.ones(3, device="meta")
    with Device() as device:
        assert float(x.sum()) == 1.0
        assert x.cpu().tolist() == [1.0, 1.0, 1.0]
        assert x[torch.tensor([0, 1])].is_meta
        assert x[x > 0].is_meta
        torch.ones(2).to("meta")
        torch.randn_like(x)
    assert sum(device.waits.values()) == 5
    assert device.draws == 1


@pytest.mark.parametrize("name", sorted(networks.ZOO))
def test_a_network_travels_as_one_block(name: str) -> None:
    network = networks.ZOO[name][0]()
    state = {key: (value.shape, value.dtype) for key, value in network.state_dict().items()}
    moving = {id(t): t.dtype for t in (*network.parameters(), *network.buffers())}
    trained = [p.requires_grad for p in network.parameters()]
    with Device() as device:
        moved = on_device(network, "meta")
    assert {key: (value.shape, value.dtype) for key, value in moved.state_dict().items()} == state
    assert all(t.is_meta for t in moved.state_dict().values())
    assert [p.requires_grad for p in moved.parameters()] == trained
    assert sum(device.waits.values()) == len(set(moving.values()))


def test_values_keep_their_order_and_shape() -> None:
    parts = [torch.arange(6.0).view(2, 3), torch.tensor(7.0), torch.empty(0, 2)]
    assert numbers([part.sum() for part in parts]) == [15.0, 7.0, 0.0]
    assert numbers([]) == []
    assert all(a is b for a, b in zip(on_host(parts), parts, strict=True))
    with Device():
        found = copied(parts, torch.device("meta"))
        back = on_host(found)
    assert [part.shape for part in back] == [part.shape for part in parts]
    assert on_host([]) == []


@pytest.mark.parametrize("name", sorted(networks.ZOO))
def test_signs_of_images_at_once_are_those_of_one_after_the_other(name: str) -> None:
    """In double precision, where no gradient is zero but for rounding."""
    network = networks.ZOO[name][0]().double()
    images, labels = networks.batch(name, 5, 0)
    run = Run(network, Batch(images.double(), labels), (name,))
    with run.undisturbed("test"):
        expected = signs_one_by_one(network, run.batch)
        found = signs_at_once(network, run.batch)
    differing = sum(int((a != b).sum()) for a, b in zip(found, expected, strict=True))
    assert differing <= 1e-3 * sum(a.numel() for a in found)


def test_a_broken_device_costs_one_architecture_and_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tuple(spaces.get("nb201").sample(4, seed=0))
    failed = Score(math.nan, "error", 0.0, "AcceleratorError: an illegal memory access")

    def scored(_: Conditions, key: str, __: int, names: tuple[str, ...]) -> dict[str, Score]:
        good = dict.fromkeys(names, Score(1.0, "ok", 0.0))
        return good | {"snip": failed} if key == keys[1] else good

    monkeypatch.setattr(shard_module, "score_architecture", scored)
    monkeypatch.setattr(shard_module, "is_lost", lambda _: True)
    inputs, settings = InputSettings("gaussian"), Settings()
    conditions = Conditions("nb201", "digits", inputs, 2, "cpu", True, settings)
    whole = ScoreShard(conditions, 0, keys, ("params", "snip"), tmp_path)
    with pytest.raises(LostWorkerError, match="illegal memory access") as lost:
        score_shard(whole)
    assert lost.value.results == (2,)
    assert lost.value.rest == replace(whole, keys=keys[2:])
    rows = score_table(tmp_path).read()
    assert rows[["key", "proxy", "status"]].to_numpy().tolist() == [
        [keys[0], "params", "ok"],
        [keys[0], "snip", "ok"],
        [keys[1], "params", "ok"],
        [keys[1], "snip", "error"],
    ]
    assert score_shard(lost.value.rest) == 2
    with pytest.raises(LostWorkerError) as lost:
        score_shard(replace(whole, keys=keys[1:2]))
    assert lost.value.rest is None
    monkeypatch.setattr(shard_module, "is_lost", is_lost)  # an error that leaves the CPU as it is
    assert score_shard(whole) == 4

"""The memory guard: what a forward keeps, what the system has left, and rows instead of a kill."""

from pathlib import Path
from weakref import WeakSet

import pytest
import torch
from references import networks
from torch import Tensor, nn

from harness.core.types import Batch
from harness.passes import memory
from harness.passes.memory import available_memory, kept_by_one_image
from harness.passes.observation import passes
from harness.passes.run import Run
from harness.scoring import engine

LABELLED = ["snip", "grad_norm", "grasp", "jacov", "zico"]
OTHERS = ["params", "l2_norm", "swap", "synflow"]


def run_of(name: str, images: int = 16) -> Run:
    first, second = (Batch(*networks.batch(name, images, seed)) for seed in (0, 1))
    labelled = Batch(first.images, first.labels, second=second)
    return Run(networks.ZOO[name][0](), labelled, (name,))


class Stored:
    """A tensor in autograd's hands; it goes when the graph lets go of it."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def saved_bytes(run: Run) -> int:
    """What autograd itself holds after a forward, each storage once, without the parameters."""
    own = {t.untyped_storage().data_ptr() for t in run.network.state_dict().values()}
    stored: WeakSet[Stored] = WeakSet()

    def pack(tensor: Tensor) -> Stored:
        one = Stored(tensor)
        stored.add(one)
        return one

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one.tensor):
        outputs = run.network(run.batch.images)
    assert outputs.requires_grad
    storages = {one.tensor.untyped_storage() for one in stored}
    sizes = {storage.data_ptr(): storage.nbytes() for storage in storages}
    return sum(size for pointer, size in sizes.items() if pointer not in own)


def with_memory(monkeypatch: pytest.MonkeyPatch, available: int | None) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: available)


# What a dead branch held is freed during the forward, and counted nevertheless.
@pytest.mark.parametrize("name", sorted(networks.ZOO))
def test_the_count_is_what_autograd_saves(name: str) -> None:
    run = run_of(name, images=64)
    dead = name in {"nb201_dead", "dead_branch"}
    with run.undisturbed("test"):
        expected = saved_bytes(run)
    ratio = 64 * kept_by_one_image(run) / expected
    assert 0.85 < ratio < (1.7 if dead else 1.1)


@pytest.mark.parametrize(
    ("name", "available"), [("nb201_mixed", 300_000), ("grouped", 100_000), ("mlp", 1000)]
)
def test_too_little_memory_costs_only_the_passes_with_a_backward(
    monkeypatch: pytest.MonkeyPatch, name: str, available: int
) -> None:
    with_memory(monkeypatch, available)
    run = run_of(name)
    before = {key: value.clone() for key, value in run.network.state_dict().items()}
    scores = engine.score(run, [*LABELLED, *OTHERS, "nwot"])
    for proxy in LABELLED:
        assert scores[proxy].status == "oom"
    without = {"swap"} if name == "mlp" else set()  # it has no ReLU that counts
    assert {scores[proxy].status for proxy in {*OTHERS} - without} == {"ok"}
    assert all(torch.equal(run.network.state_dict()[key], before[key]) for key in before)
    assert not any(module._forward_pre_hooks for module in run.network.modules())
    # nwot shares the pass that was refused; on its own it needs no backward
    assert engine.score(run, ["nwot"])["nwot"].status == "ok"


def test_the_message_tells_the_whole_need(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(1000, 10_000), nn.ReLU(), nn.Linear(10_000, 10))
    run = Run(network, Batch(torch.zeros(64, 1000), torch.zeros(64).long()), ("t",))
    weights = 10_000 * 1000 + 10_000 + 10 * 10_000 + 10
    need = 4 * (64 * (1000 + 10_000) + weights)
    with_memory(monkeypatch, need - 1)
    advice = "GB are available; lower batch_size or score elsewhere"
    message = engine.score(run, ["grad_norm"])["grad_norm"].message
    assert message == f"the pass needs about 0.0433 GB and 0.0433 {advice}"
    with_memory(monkeypatch, need)
    assert engine.score(run, ["grad_norm"])["grad_norm"].status == "ok"


@pytest.mark.parametrize("available", [2 * 10**8, None])
def test_values_do_not_change(monkeypatch: pytest.MonkeyPatch, available: int | None) -> None:
    names = [*LABELLED, *OTHERS, "nwot", "fisher", "ntk"]
    with_memory(monkeypatch, available)
    guarded = engine.score(run_of("nb201_mixed"), names)
    monkeypatch.setattr(engine, "check_memory", lambda *_: None)
    plain = engine.score(run_of("nb201_mixed"), names)
    for name in names:
        assert guarded[name].status == "ok"
        assert guarded[name].value == plain[name].value


def test_only_what_might_not_fit_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "kept_by_one_image", lambda _: pytest.fail("estimated"))
    run = run_of("plain_cnn")
    plenty = 5001 * run.batch.images.nbytes
    for names, available in (
        (["swap", "nwot", "params"], 0),
        (["grasp"], None),
        (["grasp"], plenty),
    ):
        with_memory(monkeypatch, available)
        assert {score.status for score in engine.score(run, names).values()} == {"ok"}


def test_backwards_are_declared_of_what_a_pass_reports() -> None:
    for one in passes.values():
        assert one.backwards.keys() <= set(one.reports)
    (minibatch,) = (one for one in passes.values() if one.name == "minibatch")
    assert minibatch.differentiations(minibatch.reports) == 2
    assert minibatch.differentiations(()) == 0


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n"
STATUS = "Name:\tpython\nVmRSS:\t    900 kB\nRssAnon:\t     500 kB\n"
V2 = "sys/fs/cgroup"
V1 = "sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("files", "kibibytes"),
    [
        ({}, 8500),
        ({"proc/self/cgroup": "0::/job/step\n", f"{V2}/job/memory.max": "max\n"}, 8500),
        (
            {
                "proc/self/cgroup": "0::/job/step\n",
                f"{V2}/job/memory.max": f"{3000 * 1024}\n",
                f"{V2}/job/memory.current": f"{1200 * 1024}\n",
                f"{V2}/job/memory.stat": f"anon 1\ninactive_file {200 * 1024}\n",
                f"{V2}/job/step/memory.max": "max\n",
            },
            3000 - 1200 + 200 + 500,
        ),
        (
            {
                "proc/self/cgroup": "0::/seen/from/the/host\n",
                f"{V2}/memory.max": f"{2000 * 1024}\n",
                f"{V2}/memory.current": f"{1000 * 1024}\n",
            },
            2000 - 1000 + 500,
        ),
        (
            {
                "proc/self/cgroup": "5:devices:/\n4:memory:/job\n0::/\n",
                f"{V1}/memory.limit_in_bytes": "9223372036854771712\n",
                f"{V1}/job/memory.limit_in_bytes": f"{5000 * 1024}\n",
                f"{V1}/job/memory.usage_in_bytes": f"{4000 * 1024}\n",
                f"{V1}/job/memory.stat": f"inactive_file 9\ntotal_inactive_file {300 * 1024}\n",
            },
            5000 - 4000 + 300 + 500,
        ),
    ],
    ids=["system", "no limit", "version 2", "inside a container", "version 1"],
)
def test_available_memory(tmp_path: Path, files: dict[str, str], kibibytes: int) -> None:
    common = {"proc/meminfo": MEMINFO, "proc/self/status": STATUS}
    assert available_memory(system(tmp_path, common | files)) == kibibytes * 1024


def test_systems_that_do_not_say(tmp_path: Path) -> None:
    assert available_memory(tmp_path) is None
    assert available_memory(system(tmp_path, {"proc/meminfo": "MemTotal: 9 kB\n"})) is None

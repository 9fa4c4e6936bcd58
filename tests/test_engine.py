"""The engine: the fewest passes, honest seconds, and failures that stay where they happen."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from references import networks
from torch import Tensor, nn

from harness.core.errors import HarnessError, UndefinedScoreError
from harness.core.types import Batch
from harness.inputs.batch import load_batch
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes import observation
from harness.passes.observation import Observation, Observations, observes, passes
from harness.passes.run import Run
from harness.proxies.contract import proxies, proxy
from harness.scoring import engine
from harness.spaces.space import spaces

KEY = (
    "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+"
    "|avg_pool_3x3~0|nor_conv_3x3~1|skip_connect~2|"
)
SUITE_ZERO = "epe_nas fisher flops grad_norm grasp jacov l2_norm nwot params plain snip synflow zen"
ONE_BACKWARD = ["grad_norm", "snip", "plain", "fisher", "nwot", "activation_patterns"]


def batch(size: int = 8) -> Batch:
    return load_batch(tasks.get("digits"), InputSettings(), seed=0, size=size)


def cell_run() -> Run:
    network = networks.shortened(spaces.get("nb201").build(KEY, "digits", seed=0))
    return Run(network, batch(), (0, KEY))


def small_run(network: nn.Module) -> Run:
    return Run(network, batch(), ("test",))


def small_network(*extra: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        *extra,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts backwards, and those that keep a graph so that they can be differentiated again."""
    counts: Counter[str] = Counter()
    differentiate = torch.autograd.grad

    def grad(*arguments: Any, **options: Any) -> Any:
        counts["backwards"] += 1
        counts["differentiable backwards"] += bool(options.get("create_graph"))
        return differentiate(*arguments, **options)

    monkeypatch.setattr(torch.autograd, "grad", grad)
    monkeypatch.setattr(Tensor, "backward", lambda *_, **__: pytest.fail("uncounted backward"))
    yield counts


@pytest.mark.parametrize(
    ("names", "forwards", "backwards", "twice"),
    [
        (["l2_norm"], 0, 0, 0),
        (["nwot", "activation_patterns"], 1, 0, 0),
        (["grad_norm"], 1, 1, 0),
        (ONE_BACKWARD, 1, 1, 0),
        ([*ONE_BACKWARD, "jacov", "epe_nas"], 1, 2, 0),
        (["jacov", "epe_nas", "nwot"], 1, 1, 0),
        ([*ONE_BACKWARD, "grasp"], 1, 2, 1),
        ([*ONE_BACKWARD, "zico"], 2, 2, 0),
        ([*ONE_BACKWARD, "jacov", "epe_nas", "grasp", "zico"], 2, 4, 1),
    ],
)
def test_forwards_and_backwards(
    calls: Counter[str], names: list[str], forwards: int, backwards: int, twice: int
) -> None:
    run = cell_run()
    seen: list[int] = []
    run.network.register_forward_hook(lambda _, images, __: seen.append(len(images[0])))
    scores = engine.score(run, names)
    assert {name: score.status for name, score in scores.items()} == dict.fromkeys(names, "ok")
    assert seen == forwards * [8]
    assert calls["backwards"] == backwards
    assert calls["differentiable backwards"] == twice


def test_sizes_need_one_image(calls: Counter[str]) -> None:
    run = cell_run()
    seen: list[int] = []
    run.network.register_forward_hook(lambda _, images, __: seen.append(len(images[0])))
    engine.score(run, ["params", "flops", "l2_norm"])
    assert seen == [1]
    assert not calls


def test_suite_zero_runs_no_pass_twice() -> None:
    planned = engine.plan(map(proxies.get, SUITE_ZERO.split()))
    assert {one.name for one in planned} == {"layers", "minibatch", "synflow", "weights", "zen"}
    assert all(kinds <= set(one.reports) for one, kinds in planned.items())


class _Exhausted(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        raise torch.OutOfMemoryError(f"tried to allocate {gradient.numel()} GiB\nand more lines")


class FailsBackwards(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return _Exhausted.apply(x)


class Fails(nn.Module):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Tensor) -> Tensor:
        raise self.error


def test_out_of_memory_hits_the_proxies_of_that_pass_alone() -> None:
    names = ["params", "snip", "swap", "grad_norm", "l2_norm", "jacov", "zico"]
    scores = engine.score(small_run(small_network(FailsBackwards())), names)
    assert {name for name in names if scores[name].status == "ok"} == {"params", "swap", "l2_norm"}
    for name in ("snip", "grad_norm", "jacov", "zico"):
        assert scores[name].status == "oom"
        assert math.isnan(scores[name].value)
        assert scores[name].message.startswith("tried to allocate")
        assert "\n" not in scores[name].message
    assert scores["swap"].value > 0


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "oom", "CUDA out of memory"),
        (MemoryError(), "oom", "MemoryError"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "oom", "not enough"),
        (
            RuntimeError("shapes [4] and [5]\nin detail"),
            "error",
            "RuntimeError: shapes [4] and [5]",
        ),
        (KeyError("x"), "error", "KeyError: 'x'"),
        (AssertionError(), "error", "AssertionError: AssertionError"),
        (UndefinedScoreError("no such thing"), "undefined", "no such thing"),
    ],
)
def test_whatever_a_network_raises_becomes_a_row(
    error: Exception, status: str, message: str
) -> None:
    scores = engine.score(small_run(small_network(Fails(error))), ["snip", "l2_norm", "nwot"])
    assert scores["l2_norm"].status == "ok"
    for name in ("snip", "nwot"):
        assert scores[name].status == status
        assert math.isnan(scores[name].value)
        assert message in scores[name].message
        assert "\n" not in scores[name].message


def test_ctrl_c_is_no_score() -> None:
    with pytest.raises(KeyboardInterrupt):
        engine.score(small_run(small_network(Fails(KeyboardInterrupt()))), ["snip"])


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets the proxies and passes that a test registers."""
    for registry in (proxies, passes):
        registry.names()
        monkeypatch.setattr(registry, "_items", dict(registry._items))
    monkeypatch.setattr(observation, "_reporting", dict(observation._reporting))


@dataclass(frozen=True)
class Seen(Observation):
    value: Any


def register(value: object, reported: type[Observation] = Seen) -> None:
    """Registers a pass that shows a value and a proxy that returns it."""

    @observes(Seen)
    def look(run: Run) -> Observations:
        return {reported: Seen(value)}

    @proxy()
    def shown(seen: Seen) -> float:
        return seen.value  # type: ignore[no-any-return]


@pytest.mark.usefixtures("registries")
@pytest.mark.parametrize(
    ("value", "status", "message"),
    [
        (2.5, "ok", ""),
        (3, "ok", ""),
        (torch.tensor(4.0), "ok", ""),
        (math.nan, "undefined", "the formula gives nan"),
        (-math.inf, "undefined", "the formula gives -inf"),
        ("many", "error", "ValueError"),
        (None, "error", "TypeError"),
    ],
)
def test_what_a_proxy_returns(value: object, status: str, message: str) -> None:
    register(value)
    score = engine.score(small_run(small_network()), ["shown"])["shown"]
    assert score.status == status
    assert message in score.message
    assert math.isnan(score.value) == (status != "ok")
    if status == "ok":
        assert score.value == float(value)  # type: ignore[arg-type]


@pytest.mark.usefixtures("registries")
def test_a_pass_that_does_not_return_what_it_declares() -> None:
    register(1, reported=Observation)
    score = engine.score(small_run(small_network()), ["shown"])["shown"]
    assert (score.status, score.message) == (
        "error",
        "The pass 'look' does not return Seen.",
    )


@pytest.mark.usefixtures("registries")
def test_an_observation_has_one_pass() -> None:
    register(1)
    with pytest.raises(HarnessError, match=r"'look' reports Seen already; give 'glance'"):

        @observes(Seen)
        def glance(run: Run) -> Observations: ...

    assert "glance" not in passes
    with pytest.raises(HarnessError, match="must take a Run and at most one record"):

        @observes(Observation)
        def stare(run: Run, repeats: int) -> Observations: ...


def test_seconds_add_up_to_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that ticks once per reading, a pass lasts one second and so does a proxy."""
    names = ["params", "l2_norm", "snip", "grad_norm", "zico", "swap", "jacov", "nwot"]
    passes = len(engine.plan(map(proxies.get, names)))
    ticks = itertools.count()
    monkeypatch.setattr(engine.time, "perf_counter", lambda: next(ticks))
    scores = engine.score(cell_run(), names)
    assert sum(score.seconds for score in scores.values()) == pytest.approx(passes + len(names))
    assert scores["snip"].seconds < scores["zico"].seconds  # which has a pass to itself

    failing = engine.score(small_run(small_network(Fails(RuntimeError("x")))), names)
    evaluated = sum(score.status == "ok" for score in failing.values())
    assert evaluated < len(names)
    assert sum(score.seconds for score in failing.values()) == pytest.approx(passes + evaluated)


def test_without_labels_only_the_labelled_proxies_are_undefined(calls: Counter[str]) -> None:
    run = cell_run()
    unlabelled = replace(run, batch=Batch(run.batch.images))
    names = ["snip", "nwot", "grasp", "jacov", "zico", "swap", "epe_nas"]
    scores = engine.score(unlabelled, names)
    without = {name for name in names if proxies.get(name).labels}
    assert without >= {"snip", "grasp", "zico", "epe_nas"}
    for name in names:
        assert scores[name].status == ("undefined" if name in without else "ok"), name
    assert calls["backwards"] == 1  # to the inputs


def test_unknown_proxies_are_refused_before_any_work() -> None:
    network = small_network(Fails(SystemExit("ran")))
    with pytest.raises(HarnessError, match=r"Unknown proxy 'snipp'\. Did you mean 'snip'\?"):
        engine.score(small_run(network), ["nwot", "snipp"])


def test_a_proxy_that_needs_what_no_pass_reports() -> None:
    class Unreported(Observation):
        pass

    lonely = replace(proxies.get("snip"), name="lonely", needs={"seen": Unreported})
    with pytest.raises(HarnessError, match="No pass reports Unreported"):
        engine.plan([lonely])

"""What the user has told torch neither changes a score nor is changed by scoring."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from references import networks
from torch import Tensor, backends, nn

from harness import api
from harness.core import seeds
from harness.core.sections import Settings
from harness.passes.settings import LinearRegionSettings, MecoSettings
from harness.scoring import arithmetic
from harness.scoring.arithmetic import exact_arithmetic

NETWORK = networks.nb201_mixed()
IMAGES, LABELS = networks.batch("nb201_mixed", 6, seed=0)
SETTINGS = Settings(MecoSettings(input="noise"), LinearRegionSettings(samples=50, batches=1))
PLACES: list[Any] = [
    *(backends, backends.cudnn, backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn),
    *(backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn),
]


def told() -> dict[str, tuple[str, str, str]]:
    """Returns status, message and the bits of the value of each proxy."""
    scores = api.score(NETWORK, (IMAGES, LABELS), settings=SETTINGS)
    return {name: (s.status, s.message, s.value.hex()) for name, s in scores.items()}


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[str, str, str]]:
    return told()


def precisions() -> list[object]:
    kernels = backends.cudnn.deterministic, backends.cudnn.benchmark
    return [*(place.fp32_precision for place in PLACES), *kernels]


@pytest.fixture
def unset() -> Iterator[None]:
    """No place has a precision of its own; afterwards all is as it was."""
    before, of_matmul = precisions(), torch.get_float32_matmul_precision()
    give(*PLACES, precision="none")
    yield
    torch.set_float32_matmul_precision(of_matmul)
    give(*PLACES, precision="none")
    for place, precision in zip(PLACES, before, strict=False):
        place.fp32_precision = precision
    backends.cudnn.deterministic, backends.cudnn.benchmark = before[-2:]


def give(*places: Any, precision: str) -> None:
    for place in places:
        place.fp32_precision = precision


class Spy(nn.Module):
    """Remembers the precisions that a forward runs with."""

    def forward(self, x: Tensor) -> Tensor:
        self.seen = precisions()
        return x


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize(
    "change",
    [
        partial(give, precision="none"),
        partial(give, backends, precision="tf32"),
        partial(give, backends, precision="bf16"),
        partial(give, backends, precision="ieee"),
        partial(give, backends.cudnn, backends.cuda.matmul, precision="tf32"),
        partial(give, backends.mkldnn.matmul, backends.mkldnn.conv, precision="bf16"),
        partial(torch.set_float32_matmul_precision, "medium"),
        partial(setattr, backends.cudnn, "benchmark", True),
    ],
)
def test_the_users_precision(expected: dict[str, Any], change: Callable[[], None]) -> None:
    change()
    before = precisions()
    api.score(nn.Sequential(spy := Spy(), NETWORK), IMAGES, ["nwot"])
    assert spy.seen == [*len(PLACES) * ["ieee"], True, False]
    assert told() == expected
    assert precisions() == before


@pytest.mark.usefixtures("unset")
def test_what_was_not_set_by_itself_still_follows_what_is() -> None:
    with exact_arithmetic():
        pass
    backends.fp32_precision = "tf32"
    assert {place.fp32_precision for place in PLACES} == {"tf32"}


@pytest.mark.parametrize("precision", ["medium", "highest"])
def test_precision_before_torch_had_names_for_it(
    monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    def flags() -> tuple[object, ...]:
        of_matmul = torch.get_float32_matmul_precision()
        return of_matmul, backends.cudnn.allow_tf32, *precisions()[-2:]

    monkeypatch.setattr(arithmetic, "_precision_by_name", lambda: False)
    before = flags()
    torch.set_float32_matmul_precision(precision)
    with exact_arithmetic():
        within = flags()
    after = flags()
    torch.set_float32_matmul_precision(str(before[0]))
    assert within == ("highest", False, True, False)
    assert after == (precision, *before[1:])


@contextmanager
def chosen(choose: Callable[[Any], None], other: Any, default: Any) -> Iterator[None]:
    choose(other)
    try:
        yield
    finally:
        choose(default)


def modes() -> list[object]:
    return [
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.are_deterministic_algorithms_enabled(),
    ]


@pytest.mark.parametrize(
    "mode",
    [
        torch.no_grad(),
        torch.inference_mode(),
        torch.autocast("cpu", dtype=torch.bfloat16),
        chosen(torch.set_default_dtype, torch.float64, torch.float32),
        chosen(torch.set_default_device, "meta", None),
        chosen(torch.use_deterministic_algorithms, True, False),
    ],
    ids=["no grad", "inference", "autocast", "dtype", "device", "deterministic"],
)
def test_the_users_modes(expected: dict[str, Any], mode: AbstractContextManager[Any]) -> None:
    with mode:
        before = modes()
        assert told() == expected
        assert modes() == before


def test_scoring_on_the_cpu_seeds_no_other_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """``torch.manual_seed`` would: the user's CUDA stream would jump with every score."""
    monkeypatch.setattr(torch.cuda.random, "_lazy_call", lambda *_, **__: pytest.fail("seeded"))
    scores = api.score(NETWORK, IMAGES, ["swap", "zen", "near"])
    assert {score.status for score in scores.values()} == {"ok"}


def test_a_stream_seeds_and_restores_the_named_device_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As told to torch; there may be no such device here."""
    calls: list[object] = []

    @contextmanager
    def entered(*devices: object, **options: object) -> Iterator[None]:
        calls.append(options.get("devices", devices))
        yield

    monkeypatch.setattr(torch.random, "fork_rng", entered)
    monkeypatch.setattr(torch.cuda, "device", entered)
    monkeypatch.setattr(torch.cuda, "manual_seed", calls.append)
    before = torch.get_rng_state()
    with seeds.torch_stream("weights", 0, device="cuda:1"):
        assert torch.initial_seed() == seeds.stream("weights", 0)
    torch.set_rng_state(before)
    one = torch.device("cuda:1")
    assert calls == [[one], (one,), seeds.stream("weights", 0)]

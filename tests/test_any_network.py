"""Networks of any make: what a definition counts is counted, and the rest has no number."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import api
from harness.passes.functional_layers import (
    ACTIVATIONS,
    OTHERS,
    WEIGHTED,
    calls_functions_itself,
    has_layers_alone,
    watching_functions,
)

GOLDEN = pd.read_parquet(Path(__file__).parent / "golden" / "scores.parquet")


class Plain(nn.Module):
    """Convolutions whose activations and pooling are modules."""

    def __init__(self, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)
        self.first, self.second = activation(), activation()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.norm(self.stem(x)))
        x = self.second(x + self.conv(x))
        return self.head(self.pool(x).flatten(1))


class Functional(Plain):
    """The same with functions."""

    def __init__(self, activation=functional.relu, pool=lambda x: x.mean(dim=(2, 3))) -> None:
        super().__init__()
        self.first = self.second = self.pool = None
        self.act, self.pooling = activation, pool

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.stem(x)))
        x = self.act(x + self.conv(x))
        return self.head(self.pooling(x).flatten(1))


def batch(n: int = 8, size: int = 8, classes: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, size, size, generator=generator), torch.arange(n) % classes


RELUS = {
    "relu": functional.relu,
    "torch.relu": torch.relu,
    "method": lambda x: x.relu(),
    "in place": lambda x: functional.relu(x, inplace=True),
    "method in place": lambda x: x.relu_(),
    "clamp": lambda x: x.clamp(min=0),
    "threshold": lambda x: functional.threshold(x, 0.0, 0.0),
    "module that is no part": nn.ReLU(),
}
SIMILAR = {
    "leaky": (lambda x: functional.leaky_relu(x, 0.01), nn.LeakyReLU),
    "relu6": (functional.relu6, nn.ReLU6),
}
PATTERNS = ["swap", "reg_swap", "nwot", "activation_patterns", "linear_regions"]
REGULARISER = [api.RegulariserSettings(1.0, 1.0), api.SwapSettings(images=8)]


@pytest.mark.parametrize("name", RELUS)
def test_functional_relus_count_as_modules_do(name):
    expected = api.score(Plain(), batch(), PATTERNS, settings=REGULARISER)
    found = api.score(Functional(RELUS[name]), batch(), PATTERNS, settings=REGULARISER)
    assert {n: s.value for n, s in found.items()} == {n: s.value for n, s in expected.items()}
    assert {s.status for s in found.values()} == {"ok"}


@pytest.mark.parametrize("name", SIMILAR)
def test_other_rectifiers_count_for_nwot_alone(name):
    function, module = SIMILAR[name]
    expected = api.score(Plain(module), batch(), PATTERNS, settings=REGULARISER)
    found = api.score(Functional(function), batch(), PATTERNS, settings=REGULARISER)
    assert found["nwot"].value == expected["nwot"].value > 0
    for scores in (found, expected):
        for proxy in set(PATTERNS) - {"nwot"}:
            assert scores[proxy].status == "undefined"
            assert "no ReLU" in scores[proxy].message


@pytest.mark.parametrize(
    "activation", [functional.gelu, functional.silu, torch.tanh, lambda x: x.clamp(-1, 1)]
)
def test_no_pattern_without_a_relu(activation):
    scores = api.score(Functional(activation), batch(), PATTERNS, settings=REGULARISER)
    assert {score.status for score in scores.values()} == {"undefined"}
    assert all("no ReLU" in score.message for score in scores.values())


POOLS = {
    "mean": lambda x: x.mean(dim=(2, 3)),
    "negative axes": lambda x: torch.mean(x, [-1, -2], keepdim=True),
    "adaptive": lambda x: functional.adaptive_avg_pool2d(x, 1),
    "whole map": lambda x: functional.avg_pool2d(x, 8),
}


@pytest.mark.parametrize("pool", POOLS)
def test_zen_taps_the_map_before_functional_pooling(pool):
    expected = api.score(Plain(), batch(), ["zen"])["zen"]
    found = api.score(Functional(pool=POOLS[pool]), batch(), ["zen"])["zen"]
    assert (found.status, found.value) == ("ok", expected.value)


def test_features_of_functions_count_as_those_of_modules():
    names = ["meco", "meco_opt", "near"]
    pool = POOLS["adaptive"]
    expected = api.score(Plain(), batch(), names)
    found = api.score(Functional(pool=pool), batch(), names)
    for name in names:
        assert found[name].value == pytest.approx(expected[name].value, rel=1e-9), name


@pytest.mark.parametrize("name", GOLDEN.space.unique())
def test_networks_of_the_spaces_call_no_function_in_place_of_a_layer(name):
    space, task, _, key = GOLDEN[GOLDEN.space == name].iloc[0][["space", "task", "batch", "key"]]
    network = api.spaces.get(space).build(key, task, seed=0).eval()
    assert has_layers_alone(network)
    seen = []
    own = [module for module in network.modules() if calls_functions_itself(module)]
    kinds = ACTIVATIONS | WEIGHTED | OTHERS
    watched = nn.ModuleList([network, Functional()])  # not known to have layers alone
    inputs = api.InputSettings("gaussian", channels=1 if name == "darts_swap_c1" else None)
    images = api.batch(task, inputs=inputs, size=2).images
    with torch.no_grad(), watching_functions(watched, kinds, own, lambda *call: seen.append(call)):
        network(images)
    assert seen == []

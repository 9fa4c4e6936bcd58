"""Passes: exact counting, and networks that are left as they were."""

import copy
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.core.errors import HarnessError
from harness.core.sections import Settings, comments, score_sections, section_name
from harness.core.types import Batch
from harness.passes.observation import passes
from harness.passes.patterns import Agreement, DistinctPatterns, flat, pack
from harness.passes.run import Run
from harness.passes.settings import (
    GradSignSettings,
    LinearRegionSettings,
    MecoSettings,
    NtkSettings,
    SwapSettings,
    ZenSettings,
)
from harness.proxies.contract import proxies
from harness.scoring import engine

BITS = st.integers(0, 2**32 - 1).flatmap(
    lambda seed: st.tuples(st.integers(1, 140), st.integers(1, 60), st.floats(0, 1)).map(
        lambda shape: np.random.default_rng(seed).random(shape[:2]) < shape[2]
    )
)


@given(st.lists(BITS, min_size=1, max_size=3))
def test_distinct_patterns_equal_numpy_unique_rows(layers):
    images = min(len(bits) for bits in layers)
    layers = [torch.from_numpy(bits[:images]) for bits in layers]
    patterns = DistinctPatterns(images)
    for bits in layers:
        patterns.add(bits)
    columns = torch.cat(layers, dim=1).T.numpy()
    assert patterns.count() == len(np.unique(columns, axis=0))


@pytest.mark.parametrize("images", [1, 16, 17, 24, 25, 62, 63, 64, 65, 127, 130])
def test_patterns_that_differ_in_one_image_are_told_apart(images):
    patterns = DistinctPatterns(images)
    patterns.add(torch.eye(images, dtype=torch.bool))
    patterns.add(torch.zeros(images, 5, dtype=torch.bool))
    patterns.add(torch.ones(images, 5, dtype=torch.bool))
    assert patterns.count() == (2 if images == 1 else images + 2)


@given(BITS)
def test_packing_is_reversible(bits):
    words = pack(torch.from_numpy(bits)).numpy()
    unpacked = [(words[i // 63] >> (i % 63)) & 1 for i in range(len(bits))]
    assert np.array_equal(np.stack(unpacked).astype(bool), bits)


@given(st.lists(BITS, min_size=1, max_size=3))
def test_agreement_equals_the_two_products(layers):
    images = min(len(bits) for bits in layers)
    agreement = Agreement()
    expected = np.zeros((images, images))
    for bits in layers:
        b = bits[:images].astype(float)
        expected += b @ b.T + (1 - b) @ (1 - b).T
        agreement.add(torch.from_numpy(bits[:images]))
    assert np.array_equal(agreement.matrix.numpy(), expected)


def test_flat_keeps_the_images_apart_in_any_layout():
    x = torch.randn(3, 4, 5, 6)
    last = x.contiguous(memory_format=torch.channels_last)
    assert flat(last).data_ptr() == last.data_ptr()
    assert torch.equal(flat(last).sort(dim=1).values, flat(x).sort(dim=1).values)


class Noisy(nn.Module):
    """Everything that a pass could disturb: buffers, modes, frozen weights, dropout, in-place."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6))
        self.cells = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Conv2d(6, 6, 3, padding=1, groups=2),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(6, 4)
        self.cells[2].weight.requires_grad_(False)
        self.cells[1].eval()

    def forward(self, x):
        return self.classifier(self.pool(self.cells(self.stem(x))).flatten(1))


def noisy():
    torch.manual_seed(0)
    return Noisy()


def a_batch(n=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 3, 8, 8, generator=generator)
    labels = torch.arange(n) % 4
    return images, labels


def a_run(network):
    second = Batch(*a_batch(seed=1))
    return Run(network, Batch(*a_batch(), second=second), ("test",))


def values(names, *settings, network=None):
    scores = engine.score(a_run(network or noisy()), names, Settings(*settings))
    return {name: score.value for name, score in scores.items()}


@pytest.mark.parametrize("run_pass", passes.values(), ids=passes.names())
def test_a_pass_leaves_the_network_and_the_generators_as_they_were(run_pass):
    network = noisy()
    before = copy.deepcopy(network)
    generator = torch.get_rng_state()
    taken = [run_pass.settings()] if run_pass.settings else []
    seen = run_pass.function(replace(a_run(network), wanted=frozenset(run_pass.reports)), *taken)
    assert seen.keys() >= set(run_pass.reports)
    assert torch.equal(torch.get_rng_state(), generator)
    for (name, now), (_, then) in zip(
        network.state_dict().items(), before.state_dict().items(), strict=True
    ):
        assert torch.equal(now, then), name
    for now, then in zip(network.parameters(), before.parameters(), strict=True):
        assert now.requires_grad == then.requires_grad
        assert now.grad is None
    for now, then in zip(network.modules(), before.modules(), strict=True):
        assert now.training == then.training
        assert not now._forward_hooks
        assert not now._forward_pre_hooks
        assert now.forward.__func__ is then.forward.__func__
        assert getattr(now, "inplace", None) == getattr(then, "inplace", None)


def test_a_failing_network_is_put_back_too():
    network = noisy()
    network.classifier = nn.Linear(7, 4)
    scores = engine.score(a_run(network), ["snip", "params"])
    assert {score.status for score in scores.values()} == {"error"}
    assert "mat1 and mat2" in scores["snip"].message
    assert not network.cells[1].training


def test_scores_do_not_depend_on_what_else_is_scored_or_in_which_order():
    few = LinearRegionSettings(samples=20)
    names = proxies.names()
    together = values(names, few)
    shuffled = np.random.default_rng(0).permutation(names).tolist()
    np.testing.assert_equal(values(shuffled, few), together)
    # What the minibatch's pass does depends on these; each proxy needs another of its observations.
    fused = ["nwot", "jacov", "snip", "fisher", "grasp"]
    groups = [group for size in range(2, 6) for group in combinations(fused, size)]
    for group in [[name] for name in names] + groups:
        np.testing.assert_equal(values(group, few), {name: together[name] for name in group})


@settings(max_examples=20)
@given(st.integers(1, 20), st.integers(1, 3), st.sampled_from(["default", "gaussian"]))
def test_swap_settings(images, repeats, init):
    chosen = SwapSettings(images, repeats, init)
    value = values(["swap"], chosen)["swap"]
    assert 1 <= value <= 2 ** min(images, 12)
    assert value == values(["swap"], chosen)["swap"]


def test_swap_repeats_average_over_initialisations():
    one, many = (values(["swap"], SwapSettings(12, repeats))["swap"] for repeats in (1, 5))
    assert one == int(one)
    assert many * 5 == pytest.approx(round(many * 5))
    assert many != one


def test_every_setting_is_explained_for_the_help():
    for kind in score_sections.values():
        assert all(comments(kind).values()), kind


def test_settings_that_nothing_reads_change_nothing():
    names = ["swap", "zen", "ntk", "meco_opt", "gradsign"]
    default = values(names)
    for name, other in {
        "swap": SwapSettings(repeats=2),
        "zen": ZenSettings(gamma=0.1),
        "ntk": NtkSettings(images=4),
        "meco_opt": MecoSettings(channels=2),
        "gradsign": GradSignSettings("mean"),
    }.items():
        changed = values(names, other)
        assert {one for one in names if changed[one] != default[one]} == {name}


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (SwapSettings, {"images": 0}),
        (SwapSettings, {"repeats": 0}),
        (SwapSettings, {"init": "xavier"}),
        (ZenSettings, {"repeats": 0}),
        (NtkSettings, {"images": 0}),
        (NtkSettings, {"init": "xavier"}),
        (LinearRegionSettings, {"samples": 0}),
        (MecoSettings, {"input": "picture"}),
        (MecoSettings, {"channels": 0}),
        (GradSignSettings, {"reduction": "max"}),
    ],
)
def test_settings_that_make_no_sense(kind, wrong):
    (key,) = wrong
    with pytest.raises(HarnessError, match=rf"{section_name(kind)}\.{key}"):
        kind(**wrong)

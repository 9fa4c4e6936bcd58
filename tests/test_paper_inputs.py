"""Smaller images of fewer channels, and the one-cell networks that take them."""

import numpy as np
import pytest
import torch

from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.inputs.augment import random_channels, random_crop
from harness.inputs.batch import load_batch
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.scoring.conditions import Conditions
from harness.spaces import darts_swap
from harness.spaces.space import spaces

DIGITS = tasks.get("digits")
KEY = "|sep_conv_3x3~0|skip_connect~1|+|dil_conv_5x5~0|max_pool_3x3~1|" * 2
KEY = KEY.replace("||", "|+|")


def numbered(n=50, channels=3, side=6):
    """Every value names its channel and place, the same in every image."""
    places = torch.arange(channels * side * side, dtype=torch.float32)
    return places.view(1, channels, side, side).repeat(n, 1, 1, 1)


def test_crops_are_windows_of_their_image():
    crops = random_crop(numbered(), 4, np.random.default_rng(0))
    windows = {
        tuple(numbered(1)[0, :, r : r + 4, c : c + 4].ravel().tolist())
        for r in range(3)
        for c in range(3)
    }
    seen = {tuple(crop.ravel().tolist()) for crop in crops}
    assert seen <= windows
    assert len(seen) == 9, "every place occurs among fifty"


def test_a_crop_of_the_whole_image_is_the_image():
    assert torch.equal(random_crop(numbered(), 6, np.random.default_rng(0)), numbered())


def test_channels_are_drawn_per_image_and_stay_in_order():
    kept = random_channels(numbered(), 2, np.random.default_rng(0))
    seen = {tuple(image[:, 0, 0].tolist()) for image in kept}
    assert seen == {(0.0, 36.0), (0.0, 72.0), (36.0, 72.0)}
    assert torch.equal(random_channels(numbered(), 3, np.random.default_rng(0)), numbered())


def test_batch_is_cropped_and_thinned_and_otherwise_the_same():
    whole = load_batch(DIGITS, InputSettings(), seed=1, size=8)
    batch = load_batch(DIGITS, InputSettings(crop=3, channels=1), seed=1, size=8)
    again = load_batch(DIGITS, InputSettings(crop=3, channels=1), seed=1, size=8)
    assert batch.images.shape == batch.second.images.shape == (8, 1, 3, 3)
    assert torch.equal(batch.images, again.images)
    assert torch.equal(batch.labels, whole.labels)
    for small, large in zip(batch.images, whole.images, strict=True):
        windows = large.unfold(1, 3, 1).unfold(2, 3, 1)
        assert (windows == small[0]).all(-1).all(-1).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": 9}, "does not fit into images of 8×8"),
        ({"channels": 4}, "cannot keep 4"),
    ],
)
def test_too_much(settings, message):
    with pytest.raises(HarnessError, match=message):
        load_batch(DIGITS, InputSettings(**settings), seed=0, size=2)


@pytest.mark.parametrize("name", ["crop", "channels"])
def test_less_than_one(name):
    with pytest.raises(HarnessError, match=f"inputs.{name}=0"):
        InputSettings(**{name: 0})


def test_tasks_whose_targets_would_not_fit():
    with pytest.raises(HarnessError, match="cannot be cropped"):
        load_batch(tasks.get("autoencoder"), InputSettings("gaussian", crop=8), seed=0, size=2)


def test_other_inputs_are_other_conditions():
    made = [
        Conditions("nb201", "digits", InputSettings(**inputs), 8, "cpu", True, Settings())
        for inputs in ({}, {"crop": 3}, {"channels": 1})
    ]
    assert len({one.fingerprint("nwot") for one in made}) == 3


@pytest.mark.parametrize(("name", "channels"), [("darts_swap", 3), ("darts_swap_c1", 1)])
def test_one_cell_networks(name, channels):
    space = spaces.get(name)
    network = space.build(KEY, "cifar10")
    assert sum(p.numel() for p in network.parameters()) == space.count_params(KEY, "cifar10")
    for side in (3, 15, 32):
        assert network(torch.randn(2, channels, side, side)).shape == (2, 10)
    assert network.classifier.in_features == 8 * channels


@pytest.mark.mirror
def test_sizes_of_the_narrow_networks():
    from harness import truth

    table = truth.load("darts_swap_c1", "cifar10")
    assert table.equals(truth.load("darts_swap", "cifar10"))
    sizes = [darts_swap.DartsSwapC1().count_params(key, "cifar10") for key in table.key]
    assert (min(sizes), max(sizes)) == (102, 792)
    assert np.mean(sizes) == pytest.approx(358.832)

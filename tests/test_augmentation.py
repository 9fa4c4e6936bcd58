"""What a training shows of its images, against slow loops and Python's own colour arithmetic."""

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.training.augmentation import Views, cut_out, draw_views, seen
from harness.training.colours import change_colours, turn_hue
from harness.training.labelled_images import Pixels

CPU = torch.device("cpu")


def some_bytes(n: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, size=(n, side, side, 3), dtype=np.uint8)


@given(st.integers(0, 2**31), st.sampled_from([8, 16, 32]), st.booleans())
def test_an_image_is_a_crop_of_the_padded_one_mirrored_or_not(
    seed: int, side: int, crop: bool
) -> None:
    images, padding = some_bytes(5, side), side // 8
    views = draw_views(5, side, np.random.default_rng(seed), CPU, crop=crop)
    shown = seen(torch.from_numpy(images), views).numpy()
    assert sorted(views.order.tolist()) == list(range(5))
    for place, index in enumerate(views.order.tolist()):
        padded = np.pad(images[index], ((padding, padding), (padding, padding), (0, 0)))
        row, column = (padding + int(shift) for shift in views.shift[:, place])
        one = padded[row : row + side, column : column + side]
        if views.flipped[place]:
            one = one[:, ::-1]
        np.testing.assert_array_equal(shown[place], one)
    if not crop:
        np.testing.assert_array_equal(shown, images[views.order])


def test_every_offset_and_both_directions_come_up() -> None:
    views = draw_views(4000, 32, np.random.default_rng(0), CPU, crop=True)
    for shifts in views.shift:
        assert torch.unique(shifts).tolist() == list(range(-4, 5))
    assert 0.45 < views.flipped.float().mean() < 0.55
    assert views.centre.min() == 0
    assert views.centre.max() == 31


@given(st.integers(1, 12), st.integers(1, 14), st.integers(0, 2**31))
def test_a_cut_is_a_square_cut_off_at_the_border(side: int, hole: int, seed: int) -> None:
    centres = torch.from_numpy(np.random.default_rng(seed).integers(side, size=(2, 3)))
    cut = cut_out(torch.ones(3, 2, side, side), centres, hole)
    for image, centre in zip(cut, centres.T.tolist(), strict=True):
        for row in range(side):
            for column in range(side):
                # From half the square above and left of the pixel on, as long as it is.
                gone = all(
                    c - hole // 2 <= place < c - hole // 2 + hole
                    for c, place in zip(centre, (row, column), strict=True)
                )
                assert image[:, row, column].tolist() == [float(not gone)] * 2


@pytest.mark.parametrize(("n", "batches"), [(20, [8, 8, 4]), (16, [8, 8]), (17, [8, 8])])
def test_the_last_batch_is_smaller_but_never_a_single_image(n: int, batches: list[int]) -> None:
    views = draw_views(n, 8, np.random.default_rng(0), CPU, crop=True)
    assert [len(part.order) for part in views.split(8)] == batches
    joined = [torch.cat([p.order for p in views.split(8)])]
    assert torch.equal(joined[0], views.order[: sum(batches)])


def test_batches_are_normalised_and_keep_their_labels() -> None:
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 0.125)
    images = some_bytes(6, 8)
    data = Pixels(images, np.arange(6), mean, std).on("cpu")
    batches = data.augmented(np.random.default_rng(0), 4, crop=False, hole=0)
    for shown, labels in batches:
        expected = (images[labels] / 255 - mean) / std
        np.testing.assert_allclose(shown.permute(0, 2, 3, 1), expected, rtol=1e-5)
        assert shown.is_contiguous(memory_format=torch.channels_last)
    plain = [labels.tolist() for _, labels in data.plain(4)]
    assert plain == [[0, 1, 2, 3], [4, 5]]


def test_views_are_the_same_for_the_same_stream_only() -> None:
    first, same, other = (
        draw_views(50, 8, np.random.default_rng(seed), CPU, crop=True) for seed in (0, 0, 1)
    )
    assert all(torch.equal(a, b) for a, b in zip(fields(first), fields(same), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(fields(first), fields(other), strict=True))


def fields(views: Views) -> list[torch.Tensor]:
    return list(vars(views).values())


@given(st.tuples(*(st.floats(0, 1) for _ in range(3))), st.floats(-1, 1))
def test_hue_turns_as_in_hsv(colour: tuple[float, float, float], turn: float) -> None:
    image = torch.tensor(colour, dtype=torch.float64).view(1, 3, 1, 1)
    turned = turn_hue(image, torch.tensor(turn, dtype=torch.float64).view(1, 1, 1)).flatten()
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    expected = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
    np.testing.assert_allclose(turned, expected, atol=1e-6)


def test_colours_change_image_by_image_and_stay_colours() -> None:
    images = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    images[1] = images[0]
    changed = change_colours(images, np.random.default_rng(0))
    assert changed.shape == images.shape
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert not torch.allclose(changed[0], changed[1], atol=0.01)
    grey = torch.full((1, 3, 4, 4), 0.5)  # of one grey only the brightness can change
    one = change_colours(grey, np.random.default_rng(1))
    assert one.unique().numel() == 1
    assert 0.3 <= one[0, 0, 0, 0] <= 0.7

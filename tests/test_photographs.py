"""The bundled photographs: any size, every task, the same crops everywhere, declared stand-ins."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.inputs.batch import load_batch
from harness.inputs.description import describe_amount, describe_inputs
from harness.inputs.image_sets import image_sets, read_image_set
from harness.inputs.photographs import crops
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.spaces.space import spaces

PHOTOGRAPHS = InputSettings("photographs")
BENCHMARKS = ("nb101", "nb201", "nb301", "tnb101_micro", "tnb101_macro", "autoformer", "pit")
TASKS = sorted({task for space in BENCHMARKS for task in spaces.get(space).tasks})
SIDES = sorted({tasks.get(task).image_side for task in TASKS})


def slow_crop(photograph: np.ndarray, row: int, column: int, size: int, side: int) -> np.ndarray:
    """The definition, pixel by pixel, with exact fractions."""
    edges = [i * size // side for i in range(side + 1)]
    result = np.empty((side, side, 3), np.uint8)
    for i in range(side):
        for j in range(side):
            top, left = row + edges[i], column + edges[j]
            bottom = max(row + edges[i + 1], top + 1)
            right = max(column + edges[j + 1], left + 1)
            covered = photograph[top:bottom, left:right].astype(int)
            for channel in range(3):
                values = covered[..., channel].ravel().tolist()
                mean = Fraction(sum(values), len(values))
                result[i, j, channel] = int(mean + Fraction(1, 2))
    return result


@pytest.mark.parametrize("side", [3, 8, 500])
def test_a_crop_is_a_square_of_a_photograph_shrunk_by_means(side: int) -> None:
    found = crops(side)
    random = seeds.numpy_stream("photographs", side)
    photographs = load_sample_images().images
    for i in range(4 if side < 100 else 1):
        photograph = photographs[i % 2]
        height, width = photograph.shape[:2]
        size = int(random.integers(min(side, height), height + 1))
        row, column = (int(random.integers(n - size + 1)) for n in (height, width))
        np.testing.assert_array_equal(found[i], slow_crop(photograph, row, column, size, side))


@pytest.mark.parametrize("side", SIDES)
def test_there_are_enough_different_crops_for_two_batches_of_64(side: int) -> None:
    images = read_image_set("photographs", side).images
    assert len({image.tobytes() for image in images}) == len(images) >= 128
    assert images.nbytes <= 2**24 * 3
    content = read_image_set("photographs", side)
    assert content.images is images  # cut once


def test_crops_show_large_and_small_parts_of_both_photographs() -> None:
    images = crops(32) / 255
    temple, flower = images[::2], images[1::2]
    assert temple.mean() - flower.mean() > 0.2  # a bright sky, a dark garden
    assert flower[..., 0].mean() - flower[..., 2].mean() > 0.1  # orange petals
    contrast = images.std((1, 2, 3))
    assert contrast.min() < 0.05
    assert contrast.max() > 0.25


@pytest.mark.parametrize("task", TASKS)
def test_every_task_of_every_benchmark_takes_them(task: str) -> None:
    spec = tasks.get(task)
    batch = load_batch(spec, PHOTOGRAPHS, 0, 2)
    assert batch.images.shape == (2, *spec.input_shape)
    assert batch.labels is not None
    assert not torch.equal(batch.images[0], batch.images[1])
    assert torch.equal(batch.images, load_batch(spec, PHOTOGRAPHS, 0, 2).images)
    assert not torch.equal(batch.images, load_batch(spec, PHOTOGRAPHS, 1, 2).images)
    said = describe_inputs(spec, PHOTOGRAPHS)
    assert said["stand_in"] is True
    assert said["labels"] == ("true" if task in ("autoencoder", "jigsaw") else "random")
    assert describe_amount(spec, PHOTOGRAPHS)["of"] is None
    if spec.target == "input":
        assert torch.equal(batch.labels, batch.images)


@pytest.mark.parametrize("side", SIDES)
def test_their_normalisation_is_theirs(side: int) -> None:
    images = read_image_set("photographs", side).images / 255
    known = image_sets.get("photographs")
    np.testing.assert_allclose(images.mean((0, 1, 2)), known.mean, atol=0.02)
    np.testing.assert_allclose(images.std((0, 1, 2)), known.std, atol=0.02)


def test_what_needs_labels_refuses_them() -> None:
    from harness.training.labelled_images import training_and_test

    with pytest.raises(HarnessError, match="photographs have no labels"):
        training_and_test(tasks.get("cifar10"), PHOTOGRAPHS, 0.2, 8)

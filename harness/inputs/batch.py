"""Inputs: batches for a task, of image sets, noise, the bundled digits or random tokens."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.core.limits import MOST_IMAGES, whole
from harness.core.types import Batch
from harness.inputs.augment import crop_and_flip, random_channels, random_crop
from harness.inputs.description import check_size
from harness.inputs.image_sets import Content, ImageSet, read_image_set
from harness.inputs.jigsaw import puzzles
from harness.inputs.selection import (
    InputSettings,
    has_true_labels,
    image_set_of,
    source_in_records,
)
from harness.inputs.targets import random_targets
from harness.inputs.tasks import RGB, Task
from harness.inputs.tokens import random_tokens


def load_batch(task: Task, settings: InputSettings, seed: int, size: int) -> Batch:
    """Returns the batch of a seed, one for all architectures, with a second one beside it.

    Which images, how they are augmented or cut into puzzles, and targets where none are known come
    from separate random streams. Targets are drawn where the images have none, or labels of
    another number of classes than the task has outputs; ``describe_inputs`` says so.

    Args:
        task: What the networks are built for.
        settings: Which images, and what is done to them.
        seed: Which batch.
        size: Number of images, at least 1; ``second`` holds as many different ones.

    Returns:
        Images of ``size`` times the task's input shape (float32), targets in the form that
        ``random_targets`` describes, and the task's loss.

    Raises:
        HarnessError: If the images do not have the task's size, the image set holds fewer than
            2·``size`` of them, or the task has no augmentation or no targets that can be made.
        DataError: If the image set is missing or broken.
    """
    size = whole("size", size, 1, MOST_IMAGES)
    _check_task(task, settings)
    image_set = image_set_of(task, settings)
    if image_set is None:
        images = _drawn(task, 2 * size, seed)
        targets = images if task.target == "input" else None
    else:
        check_size(task, image_set)
        images, targets = _from_image_set(task, image_set, settings, seed, size)
    if targets is None:
        random = seeds.numpy_stream("labels", image_set.name if image_set else "gaussian", seed)
        targets = random_targets(task, 2 * size, random)
    return _batch(task, _reduced(images, settings, seed), targets)


def blank_batch(task: Task, settings: InputSettings, size: int) -> Batch:
    """Returns black images of a batch's shape, for proxies that look at none; it has no targets.

    Args:
        task: What the networks are built for.
        settings: What would be done to images; no image set is read.
        size: Number of images, at least 1.
    """
    images = torch.zeros(size, *task.input_shape)
    return Batch(_reduced(images, settings, 0), None, task.loss)


def _drawn(task: Task, n: int, seed: int) -> Tensor:
    """Returns random tokens, or noise for a task of images."""
    shape = (n, *task.input_shape)
    random = seeds.numpy_stream("batch", source_in_records(task, None), seed)
    if task.tokens:
        return torch.from_numpy(random_tokens(shape, random))
    return torch.from_numpy(random.standard_normal(shape, dtype=np.float32))


def _from_image_set(
    task: Task, image_set: ImageSet, settings: InputSettings, seed: int, size: int
) -> tuple[Tensor, Tensor | None]:
    """Returns the inputs of both minibatches, and their targets where these are known."""
    content = read_image_set(image_set.name, task.image_side, download=settings.download)
    chosen = chosen_images(content, image_set.name, settings, seed, size)
    pixels = content.images[chosen]
    if settings.augment:
        pixels = crop_and_flip(pixels, seeds.numpy_stream("augment", image_set.name, seed))
    images = _enlarged(_floats(pixels), task.image_side)
    targets = None
    if task.target == "input":
        targets = _normalised(images, task.rgb or (image_set.mean, image_set.std))
    elif task.target == "permutation":
        images, labels = puzzles(images, seeds.numpy_stream("jigsaw", image_set.name, seed))
        targets = torch.from_numpy(labels)
    elif has_true_labels(task, image_set) and content.labels is not None:
        targets = torch.from_numpy(content.labels[chosen].astype(np.int64))
    if settings.normalise:
        images = _normalised(images, task.rgb or (image_set.mean, image_set.std))
    return images, targets


def _reduced(images: Tensor, settings: InputSettings, seed: int) -> Tensor:
    """Crops the images and drops channels, as far as the settings ask for it."""
    if settings.crop is not None:
        images = random_crop(images, settings.crop, seeds.numpy_stream("crop", seed))
    if settings.channels is not None:
        images = random_channels(images, settings.channels, seeds.numpy_stream("channels", seed))
    return images


def _check_task(task: Task, settings: InputSettings) -> None:
    if task.target == "class" and task.loss != "cross_entropy":
        raise HarnessError(
            f"The task {task.name} is trained with {task.loss}, which takes no class labels; give "
            "it another target."
        )
    if settings.augment and task.target != "class":
        raise HarnessError(
            f"The task {task.name} has no augmentation here: crop and flip are those of the CIFAR "
            "benchmarks; set inputs.augment=false."
        )
    reduced = settings.crop is not None or settings.channels is not None
    if task.tokens and (settings.augment or reduced):
        raise HarnessError(
            f"The task {task.name} takes tokens, which cannot be augmented or cropped or lose "
            "channels; set inputs.augment=false, inputs.crop=null and inputs.channels=null."
        )
    if reduced and task.target != "class":
        raise HarnessError(
            f"Images of the task {task.name} cannot be cropped or lose channels, their targets "
            "would no longer fit; set inputs.crop=null and inputs.channels=null."
        )


def chosen_images(
    content: Content, name: str, settings: InputSettings, seed: int, size: int
) -> NDArray[np.int64]:
    """Returns the indices of both minibatches, 2·size of them.

    Raises:
        HarnessError: If the set is smaller.
        DataError: If it is a part of a set that does not hold them.
    """
    available = len(content.images)
    if 2 * size > available:
        raise HarnessError(
            f"Two batches of {size} different images need {2 * size}, but {name} holds "
            f"{available}; the batch size can be at most {available // 2}."
        )
    drawn = seeds.numpy_stream("batch", name, seed).permutation(available)[: 2 * size]
    chosen = np.arange(2 * size) if settings.order == "first" else drawn
    if content.held is not None and not content.held[chosen].all():
        raise DataError(
            f"Only a part of {name} is here, and the {size} images of seed {seed} are "
            "not in it; get the whole set."
        )
    return chosen


def _floats(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().float() / 255


def _enlarged(images: Tensor, side: int) -> Tensor:
    """Brings smaller images to a side by bicubic interpolation, as Pillow does."""
    if images.shape[-1] == side:
        return images
    larger = interpolate(images, (side, side), mode="bicubic", antialias=True)
    return larger.clamp_(0, 1)


def _normalised(images: Tensor, rgb: tuple[RGB, RGB]) -> Tensor:
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in rgb)
    return (images - mean) / std


def _batch(task: Task, images: Tensor, targets: Tensor) -> Batch:
    size = len(images) // 2
    second = Batch(images[size:], targets[size:], task.loss)
    return Batch(images[:size], targets[:size], task.loss, second)

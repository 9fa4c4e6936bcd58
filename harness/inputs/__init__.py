"""Inputs: batches of images for a task, from image banks, noise or the bundled digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness import seeds
from harness.errors import HarnessError
from harness.inputs.augment import crop_and_flip, random_channels, random_crop
from harness.inputs.banks import Bank, Content, banks, make_bank, read_bank
from harness.inputs.jigsaw import puzzles
from harness.inputs.settings import InputSettings, bank_of, has_true_labels, is_stand_in
from harness.inputs.targets import random_targets
from harness.tasks import RGB, UNCHANGED, Task
from harness.types import Batch

__all__ = [
    "Bank",
    "InputSettings",
    "bank_of",
    "banks",
    "describe_inputs",
    "load_batch",
    "make_bank",
    "read_bank",
    "to_tensor",
]


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
        HarnessError: If the images do not have the task's size, the bank holds fewer than
            2·``size`` of them, or the task has no augmentation or no targets that can be made.
        DataError: If the bank is missing or broken.
    """
    if size < 1:
        raise HarnessError(f"A batch of {size} images cannot be drawn; size must be at least 1.")
    _check_task(task, settings)
    bank = bank_of(task, settings)
    if bank is None:
        noise = seeds.numpy_stream("batch", "gaussian", seed)
        shape = (2 * size, *task.input_shape)
        images = torch.from_numpy(noise.standard_normal(shape, dtype=np.float32))
        targets = images if task.target == "input" else None
    else:
        _check_size(task, bank)
        images, targets = _from_bank(task, bank, settings, seed, size)
    if targets is None:
        random = seeds.numpy_stream("labels", bank.name if bank else "gaussian", seed)
        targets = random_targets(task, 2 * size, random)
    return _batch(task, _reduced(images, settings, seed), targets)


def _from_bank(
    task: Task, bank: Bank, settings: InputSettings, seed: int, size: int
) -> tuple[Tensor, Tensor | None]:
    """Returns the inputs of both minibatches, and their targets where these are known."""
    content = read_bank(bank.name)
    chosen = _choose(content, bank, settings, seed, size)
    pixels = content.images[chosen]
    if settings.augment:
        pixels = crop_and_flip(pixels, seeds.numpy_stream("augment", bank.name, seed))
    images = _floats(pixels)
    targets = None
    if task.target == "input":
        targets = _normalised(images, task.rgb or (bank.mean, bank.std))
    elif task.target == "permutation":
        images, labels = puzzles(images, seeds.numpy_stream("jigsaw", bank.name, seed))
        targets = torch.from_numpy(labels)
    elif has_true_labels(task, bank) and content.labels is not None:
        targets = torch.from_numpy(content.labels[chosen].astype(np.int64))
    if settings.normalise:
        images = _normalised(images, task.rgb or (bank.mean, bank.std))
    return images, targets


def _reduced(images: Tensor, settings: InputSettings, seed: int) -> Tensor:
    """Crops the images and drops channels, as far as the settings ask for it."""
    if settings.crop is not None:
        images = random_crop(images, settings.crop, seeds.numpy_stream("crop", seed))
    if settings.channels is not None:
        images = random_channels(images, settings.channels, seeds.numpy_stream("channels", seed))
    return images


def describe_inputs(task: Task, settings: InputSettings) -> dict[str, Any]:
    """Tells what a batch really holds, for the provenance of a result.

    Returns:
        ``source`` (bank or ``gaussian``), ``origin`` (in words), ``stand_in`` (not the task's own
        data set), ``labels`` (``true``, also of puzzles and of images that are their own target,
        or ``random``), ``normalise``, ``augment``, ``order``, ``sha256`` (of the bank; None for
        noise) and, only where they are set, ``crop`` and ``channels``.

    Raises:
        HarnessError: If the task has no bank of its own and none is named, or the bank's images
            do not have the task's size.
        DataError: If the bank is missing or broken.
    """
    bank = bank_of(task, settings)
    if bank is not None:
        _check_size(task, bank)
    # Absent unless set: the fingerprints of scores hold this description.
    reduced = {"crop": settings.crop, "channels": settings.channels}
    return {
        "source": bank.name if bank else "gaussian",
        "origin": bank.origin if bank else "independent standard normal noise",
        "stand_in": is_stand_in(task, bank),
        "labels": "true" if has_true_labels(task, bank) else "random",
        "normalise": settings.normalise and bank is not None and task.rgb != UNCHANGED,
        "augment": settings.augment,
        "order": settings.order if bank else "random",
        "sha256": read_bank(bank.name).sha256 if bank else None,
        **{name: number for name, number in reduced.items() if number is not None},
    }


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
    if reduced and task.target != "class":
        raise HarnessError(
            f"Images of the task {task.name} cannot be cropped or lose channels, their targets "
            "would no longer fit; set inputs.crop=null and inputs.channels=null."
        )


def _check_size(task: Task, bank: Bank) -> None:
    if task.image_side == bank.side:
        return
    needed = (3, task.image_side, task.image_side)
    raise HarnessError(
        f"The images of {bank.name} are 3×{bank.side}×{bank.side}, but the task {task.name} "
        f"takes {'×'.join(map(str, needed))}; choose other inputs."
    )


def _choose(
    content: Content, bank: Bank, settings: InputSettings, seed: int, size: int
) -> NDArray[np.int64]:
    """Returns the indices of both minibatches, 2·size of them."""
    available = len(content.images)
    if 2 * size > available:
        raise HarnessError(
            f"Two batches of {size} different images need {2 * size}, but {bank.name} holds "
            f"{available}; the batch size can be at most {available // 2}."
        )
    if settings.order == "first":
        return np.arange(2 * size)
    return seeds.numpy_stream("batch", bank.name, seed).permutation(available)[: 2 * size]


def to_tensor(pixels: NDArray[np.uint8], bank: Bank, normalise: bool = True) -> Tensor:
    """Turns N×H×W×3 bytes into N×3×H×W floats, from 0 to 1 unless normalised."""
    images = _floats(pixels)
    return _normalised(images, (bank.mean, bank.std)) if normalise else images


def _floats(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().float() / 255


def _normalised(images: Tensor, rgb: tuple[RGB, RGB]) -> Tensor:
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in rgb)
    return (images - mean) / std


def _batch(task: Task, images: Tensor, targets: Tensor) -> Batch:
    size = len(images) // 2
    second = Batch(images[size:], targets[size:], task.loss)
    return Batch(images[:size], targets[:size], task.loss, second)

"""Inputs: batches of images for a task, from image banks, noise or the bundled digits."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness import seeds
from harness.errors import HarnessError
from harness.inputs.augment import crop_and_flip
from harness.inputs.banks import Bank, Content, banks, make_bank, read_bank
from harness.inputs.settings import InputSettings, bank_of, has_true_labels, is_stand_in
from harness.tasks import Task
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

    Which images, how they are augmented, and labels where none are known come from separate
    random streams. Labels are drawn uniformly where the bank has none, or has another number of
    classes than the task has outputs; ``describe_inputs`` says so.

    Args:
        task: What the networks are built for.
        settings: Which images, and what is done to them.
        seed: Which batch.
        size: Number of images, at least 1; ``second`` holds as many different ones.

    Returns:
        Images ``size``×C×H×W (float32), labels (int64) and the task's loss.

    Raises:
        HarnessError: If the images do not have the task's size, the bank holds fewer than
            2·``size`` of them, or the task does not take class labels.
        DataError: If the bank is missing or broken.
    """
    if size < 1:
        raise HarnessError(f"A batch of {size} images cannot be drawn; size must be at least 1.")
    if task.loss != "cross_entropy":
        raise HarnessError(
            f"The task {task.name} is trained with {task.loss}, and only class labels can be "
            "made so far."
        )
    bank = bank_of(task, settings)
    if bank is None:
        noise = seeds.numpy_stream("batch", "gaussian", seed)
        images = noise.standard_normal((2 * size, *task.input_shape), dtype=np.float32)
        return _batch(task, torch.from_numpy(images), _random_labels(task, "gaussian", seed, size))
    _check_size(task, bank)
    content = read_bank(bank.name)
    chosen = _choose(content, bank, settings, seed, size)
    pixels = content.images[chosen]
    if settings.augment:
        pixels = crop_and_flip(pixels, seeds.numpy_stream("augment", bank.name, seed))
    labels = _random_labels(task, bank.name, seed, size)
    if has_true_labels(task, bank) and content.labels is not None:
        labels = content.labels[chosen].astype(np.int64)
    return _batch(task, to_tensor(pixels, bank, settings.normalise), labels)


def describe_inputs(task: Task, settings: InputSettings) -> dict[str, str | bool | None]:
    """Tells what a batch really holds, for the provenance of a result.

    Returns:
        ``source`` (bank or ``gaussian``), ``origin`` (in words), ``stand_in`` (not the task's own
        data set), ``labels`` (``true`` or ``random``), ``normalise``, ``augment``, ``order`` and
        ``sha256`` (of the bank; None for noise).

    Raises:
        HarnessError: If the task has no bank of its own and none is named.
        DataError: If the bank is missing or broken.
    """
    bank = bank_of(task, settings)
    return {
        "source": bank.name if bank else "gaussian",
        "origin": bank.origin if bank else "independent standard normal noise",
        "stand_in": is_stand_in(task, bank),
        "labels": "true" if has_true_labels(task, bank) else "random",
        "normalise": settings.normalise and bank is not None,
        "augment": settings.augment,
        "order": settings.order if bank else "random",
        "sha256": read_bank(bank.name).sha256 if bank else None,
    }


def _check_size(task: Task, bank: Bank) -> None:
    shape = (3, bank.side, bank.side)
    if task.input_shape != shape:
        raise HarnessError(
            f"The images of {bank.name} are {'×'.join(map(str, shape))}, but the task {task.name} "
            f"takes {'×'.join(map(str, task.input_shape))}; choose other inputs."
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


def _random_labels(task: Task, source: str, seed: int, size: int) -> NDArray[np.int64]:
    return seeds.numpy_stream("labels", source, seed).integers(task.outputs, size=2 * size)


def to_tensor(pixels: NDArray[np.uint8], bank: Bank, normalise: bool = True) -> Tensor:
    """Turns N×H×W×3 bytes into N×3×H×W floats, from 0 to 1 unless normalised."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().float() / 255
    if normalise:
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (bank.mean, bank.std))
        images = (images - mean) / std
    return images


def _batch(task: Task, images: Tensor, labels: NDArray[np.int64]) -> Batch:
    size = len(images) // 2
    targets = torch.from_numpy(labels)
    second = Batch(images[size:], targets[size:], task.loss)
    return Batch(images[:size], targets[:size], task.loss, second)

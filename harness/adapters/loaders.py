"""Batches and losses as other libraries hand them over: a loader of data and a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from harness.core.errors import HarnessError, unknown
from harness.core.types import Batch

LOSSES = {
    "cross_entropy": "cross_entropy",
    "CrossEntropyLoss": "cross_entropy",
    "l1_loss": "l1",
    "L1Loss": "l1",
    "mse_loss": "mse",
    "MSELoss": "mse",
    "SoftmaxCrossEntropyWithLogits": "soft_cross_entropy",  # NASLib's
}
"""Name of a function or class -> name of the loss, a key of ``harness.passes.losses.LOSSES``."""


def loss_name(loss: Any) -> str:
    """Returns what a loss is called here.

    Args:
        loss: A function of ``torch.nn.functional``, or a module with its usual settings.

    Raises:
        HarnessError: If there is none like it.
    """
    name = getattr(loss, "__name__", type(loss).__name__)
    if name not in LOSSES:
        raise unknown("loss", name, LOSSES)
    reduction, smoothing = (getattr(loss, key, None) for key in ("reduction", "label_smoothing"))
    if reduction not in (None, "mean") or smoothing or getattr(loss, "weight", None) is not None:
        raise HarnessError(f"The loss {loss} weights or sums; only plain means are known here.")
    return LOSSES[name]


def loaded_batch(loader: Iterable[Any], loss: Any, *, batches: int = 1) -> Batch:
    """Returns the first batches of a loader as one.

    Args:
        loader: Yields (images, labels), as a ``DataLoader`` does.
        loss: The task's loss, see ``loss_name``.
        batches: How many.

    Raises:
        HarnessError: If the loader yields anything else, or nothing.
    """
    return _joined(list(islice(_pairs(loader), batches)), loss)


def batch_of_classes(loader: Iterable[Any], loss: Any, *, classes: int, images: int) -> Batch:
    """Returns the first images of every class, class by class.

    Args:
        loader: Yields (images, labels), as a ``DataLoader`` does.
        loss: The task's loss, see ``loss_name``.
        classes: Their number.
        images: How many of each.

    Raises:
        HarnessError: If the loader yields anything else, or ends before there are enough.
    """
    found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(classes)]
    for some, labels in _pairs(loader):
        for image, label in zip(some[:, None], labels[:, None], strict=True):
            of_class = found[int(label)]
            if len(of_class) < images:
                of_class.append((image, label))
        if all(len(of_class) == images for of_class in found):
            return _joined([pair for of_class in found for pair in of_class], loss)
    raise HarnessError(f"The loader holds fewer than {images} images of one of {classes} classes.")


def _pairs(loader: Iterable[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    for one in loader:
        parts = tuple(one) if isinstance(one, (tuple, list)) else ()
        if len(parts) < 2 or not all(isinstance(part, Tensor) for part in parts[:2]):
            raise HarnessError(
                f"The loader yields {type(one).__name__}; expected pairs of images and labels."
            )
        yield parts[0], parts[1]


def _joined(pairs: list[tuple[Tensor, Tensor]], loss: Any) -> Batch:
    if not pairs:
        raise HarnessError("The loader yields no batch.")
    images, labels = map(torch.cat, zip(*pairs, strict=True))
    return Batch(images, labels, loss_name(loss))

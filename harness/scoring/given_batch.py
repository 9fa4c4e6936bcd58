"""A batch that somebody hands over."""

from __future__ import annotations

from dataclasses import replace

import torch

from harness.core.errors import HarnessError
from harness.core.types import Batch


def check_batch(batch: Batch) -> None:
    """Refuses images that are none or no floats, and labels that are not one to an image.

    Raises:
        HarnessError: With what was expected.
    """
    if not batch.images.is_floating_point():
        raise HarnessError(
            f"The images are {batch.images.dtype}; give floats: normalised images, or tokens as "
            "their embeddings."
        )
    if not batch.images.numel() or not batch.images.dim():
        raise HarnessError("The batch holds no images; give N×C×H×W (or N×L×C) of at least one.")
    _check_stored(batch)
    if batch.labels is not None and len(batch.labels) != len(batch.images):
        raise HarnessError(
            f"There are {len(batch.images)} images and {len(batch.labels)} labels; give one label "
            "per image."
        )
    if batch.second is not None:
        check_batch(batch.second)


def _check_stored(batch: Batch) -> None:
    for name, tensor in (("images", batch.images), ("labels", batch.labels)):
        if tensor is not None and tensor.layout != torch.strided:
            raise HarnessError(f"The {name} are stored as {tensor.layout}; give {name}.to_dense().")
    labels = batch.labels
    if labels is None:
        return
    if not labels.dim():
        raise HarnessError("The labels are a single number; give one label per image.")
    if labels.is_complex():
        raise HarnessError(f"The labels are {labels.dtype}; give class indices or floats.")
    if labels.device != batch.images.device:
        raise HarnessError(
            f"The images are on {batch.images.device} and its labels on {labels.device}; move one "
            "to the other with .to()."
        )


def with_whole_labels(batch: Batch) -> Batch:
    """Returns the batch with class indices in the type that torch's losses take."""
    labels, second = batch.labels, batch.second
    if labels is not None and not labels.is_floating_point():
        labels = labels.to(torch.int64)
    return replace(batch, labels=labels, second=second and with_whole_labels(second))

"""A batch that somebody hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import NoneType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.core.errors import HarnessError, first_line, shown
from harness.core.types import Batch

Numbers = Tensor | NDArray[Any]
BatchLike = Batch | Numbers | tuple[Numbers, Numbers] | Mapping[str, Any]
IMAGES = ("images", "pixel_values")
"""What a batch of names and tensors may call its images; the latter is transformers' word."""


def as_batch(given: object) -> Batch:
    """Returns what somebody hands over as a batch.

    Args:
        given: A batch; images; (images, labels); or a mapping with ``images`` or
            ``pixel_values``, and maybe ``labels``. Arrays of numpy become tensors, their floats of
            torch's default type.

    Raises:
        HarnessError: If it is none of these.
    """
    if isinstance(given, Batch):
        made = given
    elif isinstance(given, (Tensor, np.ndarray)):
        made = Batch(_tensor(given))
    elif isinstance(given, Mapping) and (name := next(filter(given.__contains__, IMAGES), "")):
        made = Batch(_tensor(given[name]), _tensor(given.get("labels")))
    elif isinstance(given, (tuple, list)) and len(given) == 2:
        made = Batch(*map(_tensor, given))
    else:
        raise HarnessError(
            "A batch is a tensor or array of images, (images, labels), a mapping with pixel_values "
            f"and labels, or an api.Batch, not {shown(given)}."
        )
    if not isinstance(made.images, Tensor) or not isinstance(made.labels, (Tensor, NoneType)):
        raise HarnessError(
            "Images and labels of a batch are tensors of torch or arrays of numpy, not "
            f"{type(made.images).__name__} and {type(made.labels).__name__}."
        )
    return made


def _tensor(given: Any) -> Any:
    """Returns an array as a tensor of its own, and anything else as it is.

    Raises:
        HarnessError: If torch knows no such numbers.
    """
    if not isinstance(given, np.ndarray):
        return given
    try:
        made = torch.from_numpy(given.copy())
    except TypeError as error:
        raise HarnessError(f"This array is no tensor of torch: {first_line(error)}") from error
    return made.to(torch.get_default_dtype()) if made.is_floating_point() else made


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

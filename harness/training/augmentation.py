"""The augmentation of a training, on the device that trains: crop, flip, and a square cut out.

What is random is drawn on the CPU, once per epoch, and travels as a few numbers per image: a seed
means the same everywhere, and no step of a GPU waits for images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Views:
    """How N images are shown: one entry per image, in the order in which they are.

    Attributes:
        order: Which image, int64.
        shift: Rows and columns by which it is moved up and to the left, int64 2×N.
        flipped: Whether it is mirrored, bool.
        centre: Row and column of the square that is cut out, int64 2×N.
    """

    order: Tensor
    shift: Tensor
    flipped: Tensor
    centre: Tensor

    def split(self, size: int) -> Iterator[Views]:
        """Yields batches. A last one of a single image is left out: it has no batch statistics."""
        parts = (torch.split(tensor, size, dim=-1) for tensor in vars(self).values())
        yield from (Views(*part) for part in zip(*parts, strict=True) if len(part[0]) > 1)


def draw_views(
    n: int, side: int, random: np.random.Generator, device: torch.device, *, crop: bool
) -> Views:
    """Draws the views of an epoch.

    Args:
        n: Number of images.
        side: Their height and width; they move by up to an eighth of it, as in ``inputs.augment``.
        random: Draws all of it.
        device: Where to.
        crop: Whether images are moved and mirrored; if not, only their order is random.
    """
    padding = side // 8
    order = random.permutation(n)
    shift = random.integers(-padding, padding + 1, size=(2, n))
    flipped = random.random(n) < 0.5
    centre = random.integers(side, size=(2, n))
    if not crop:
        shift, flipped = np.zeros_like(shift), np.zeros_like(flipped)
    return Views(*(torch.from_numpy(one).to(device) for one in (order, shift, flipped, centre)))


def seen(images: Tensor, views: Views) -> Tensor:
    """Returns images as they are seen; what comes in from outside is black.

    Args:
        images: uint8 M×S×S×C, on the device of the views.
        views: Of N of them.

    Returns:
        uint8 N×S×S×C.
    """
    side = images.shape[1]
    pixels = torch.arange(side, device=images.device)
    across = torch.where(views.flipped[:, None], side - 1 - pixels, pixels)
    rows, columns = views.shift[0, :, None] + pixels, views.shift[1, :, None] + across
    inside = _within(rows, side)[:, :, None] & _within(columns, side)[:, None, :]
    rows, columns = rows.clamp(0, side - 1), columns.clamp(0, side - 1)
    moved = images[views.order[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved * inside[..., None]


def _within(places: Tensor, side: int) -> Tensor:
    return (places >= 0) & (places < side)


def cut_out(images: Tensor, centres: Tensor, hole: int) -> Tensor:
    """Returns images with zeros in a square around a pixel, which is cut off at the border.

    DeVries & Taylor, arXiv 1708.04552.

    Args:
        images: N×C×S×S.
        centres: Row and column of each image's pixel, 2×N.
        hole: Side of the square; 0 for none.
    """
    if hole == 0:
        return images
    pixels = torch.arange(images.shape[-1], device=images.device)
    rows, columns = (_within(pixels - centre[:, None] + hole // 2, hole) for centre in centres)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])

"""The benchmarks' training augmentation: a random crop of the zero-padded image, a random flip."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.core.errors import HarnessError


def crop_and_flip(images: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Shifts every image by a random offset, filling with zeros, and mirrors half of them.

    The padding is an eighth of the side: 4 for CIFAR's 32 pixels and 2 for ImageNet16's 16, as
    NAS-Bench-201 trains. It comes before normalisation, so the border is black.

    Args:
        images: uint8 N×H×W×3, square.
        random: Draws an offset and a flip per image.

    Returns:
        uint8 N×H×W×3.
    """
    n, side = len(images), images.shape[1]
    padding = side // 8
    padded = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows, columns = random.integers(2 * padding + 1, size=(2, n))
    flipped = random.random(n) < 0.5
    result = np.empty_like(images)
    for i in range(n):
        crop = padded[i, rows[i] : rows[i] + side, columns[i] : columns[i] + side]
        result[i] = crop[:, ::-1] if flipped[i] else crop
    return result


def random_crop(images: Tensor, side: int, random: np.random.Generator) -> Tensor:
    """Cuts a square at a random place out of every image, without padding.

    SWAP's released script makes its smaller inputs so. A crop as large as the image is the image.

    Args:
        images: N×C×H×W.
        side: Height and width of the crop, in pixels.
        random: Draws a place per image.

    Returns:
        N×C×side×side.

    Raises:
        HarnessError: If the images are smaller than the crop.
    """
    height, width = images.shape[-2:]
    if side > min(height, width):
        raise HarnessError(
            f"A crop of {side}×{side} pixels does not fit into images of {height}×{width}; lower "
            "inputs.crop."
        )
    rows = random.integers(height - side + 1, size=len(images)).tolist()
    columns = random.integers(width - side + 1, size=len(images)).tolist()
    return torch.stack(
        [
            image[:, row : row + side, column : column + side]
            for image, row, column in zip(images, rows, columns, strict=True)
        ]
    )


def random_channels(images: Tensor, channels: int, random: np.random.Generator) -> Tensor:
    """Keeps a random subset of every image's channels; all of them stay in their order.

    Args:
        images: N×C×H×W.
        channels: How many to keep.
        random: Draws the channels of each image.

    Returns:
        N×channels×H×W.

    Raises:
        HarnessError: If the images have fewer channels.
    """
    available = images.shape[1]
    if channels > available:
        raise HarnessError(
            f"Images of {available} channels cannot keep {channels}; lower inputs.channels."
        )
    kept = [
        np.sort(random.choice(available, size=channels, replace=False)).tolist() for _ in images
    ]
    return torch.stack([image[chosen] for image, chosen in zip(images, kept, strict=True)])

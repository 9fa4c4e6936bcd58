"""The benchmarks' training augmentation: a random crop of the zero-padded image, a random flip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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

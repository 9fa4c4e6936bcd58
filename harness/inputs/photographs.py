"""Crops of the two photographs that scikit-learn bundles: natural images of any size, no download.

A temple (by danielbuechele) and a flower (by vultilion), both from Flickr under CC BY 2.0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.core import seeds

MOST = 1000
# Of all crops together: a thousand of 128×128 pixels, 256 of 256×256 (50 MB).
PIXELS = 2**24


def crops(side: int) -> NDArray[np.uint8]:
    """Cuts squares out of both photographs in turn and shrinks them to one size.

    A square is anything from ``side`` pixels to the photograph's whole height, at any place; all
    sizes are equally likely. A pixel of the result is the rounded mean of those that it covers, in
    whole numbers, so that the same photographs give the same crops on every machine.

    Args:
        side: Height and width of the result, at least 1. Larger ones than the photographs (427
            pixels) repeat pixels.

    Returns:
        uint8 N×side×side×3, at most ``MOST``, always the same.
    """
    from sklearn.datasets import load_sample_images

    sums = [_cumulated(photograph) for photograph in load_sample_images().images]
    random = seeds.numpy_stream("photographs", side)
    n = max(1, min(MOST, PIXELS // side**2))
    return np.stack([_crop(sums[i % len(sums)], side, random) for i in range(n)])


def _cumulated(photograph: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Returns the sums of all pixels above and left of each corner: any mean is four of them."""
    sums = photograph.astype(np.int64).cumsum(axis=0).cumsum(axis=1)
    return np.pad(sums, ((1, 0), (1, 0), (0, 0)))


def _crop(sums: NDArray[np.int64], side: int, random: np.random.Generator) -> NDArray[np.uint8]:
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    shorter = min(height, width)
    size = int(random.integers(min(side, shorter), shorter + 1))
    row, column = (int(random.integers(length - size + 1)) for length in (height, width))
    edges = np.arange(side + 1) * size // side
    first, last = edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)
    total = (
        sums[np.ix_(row + last, column + last)]
        - sums[np.ix_(row + first, column + last)]
        - sums[np.ix_(row + last, column + first)]
        + sums[np.ix_(row + first, column + first)]
    )
    count = np.multiply.outer(last - first, last - first)[..., None]
    mean: NDArray[np.int64] = (2 * total + count) // (2 * count)
    return mean.astype(np.uint8)

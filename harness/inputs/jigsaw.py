"""The jigsaw task's puzzles: nine tiles of an image, shuffled in one of a thousand ways.

Noroozi and Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles",
ECCV 2016, as TransNAS-Bench-101 uses it. The benchmark reads its thousand permutations from a
file; ours are another set of the same kind, drawn here, so that class numbers mean something else.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.core import seeds

GRID, TILES = 3, 9
PERMUTATIONS = 1000
# Any two permutations differ in at least so many of the nine places.
DISTANCE = 5
# The benchmark keeps nine tenths of the image's side before it enlarges them to 255 pixels.
KEPT, ENLARGED, PIECE, TILE = 0.9, 255, 85, 64


@cache
def permutations() -> NDArray[np.int64]:
    """Returns the puzzles' permutations (1000×9), always the same.

    Permutations are drawn one after the other, and each is kept that differs from all kept ones in
    at least ``DISTANCE`` places.
    """
    random = seeds.numpy_stream("jigsaw", "permutations")
    kept = np.empty((PERMUTATIONS, TILES), dtype=np.int64)
    count = 0
    while count < PERMUTATIONS:
        candidate = random.permutation(TILES)
        if ((kept[:count] != candidate).sum(axis=1) >= DISTANCE).all():
            kept[count] = candidate
            count += 1
    return kept


def puzzles(images: Tensor, random: np.random.Generator) -> tuple[Tensor, NDArray[np.int64]]:
    """Cuts images into tiles and shuffles them.

    The image's centre is enlarged to 255×255 pixels and cut into nine pieces of 85×85. From each a
    tile of 64×64 is taken at a random place, so that edges do not give the neighbour away.

    Args:
        images: N×C×H×W.
        random: Draws a permutation per image and a place per tile.

    Returns:
        Tiles N×9×C×64×64, where tile t shows the piece ``permutations()[label][t]``, pieces
        counted row by row, and the labels (N).
    """
    side = images.shape[-1]
    margin = round(side * (1 - KEPT) / 2)
    centre = images[..., margin : side - margin, margin : side - margin]
    whole = _enlarged(centre)
    labels = random.integers(PERMUTATIONS, size=len(images))
    offsets = random.integers(PIECE - TILE + 1, size=(len(images), TILES, 2))
    tiles = images.new_empty(len(images), TILES, images.shape[1], TILE, TILE)
    for i, label in enumerate(labels):
        for t, piece in enumerate(permutations()[label]):
            row, column = PIECE * np.array(divmod(piece, GRID)) + offsets[i, t]
            tiles[i, t] = whole[i, :, row : row + TILE, column : column + TILE]
    return tiles, labels


def _enlarged(images: Tensor) -> Tensor:
    """Enlarges images to 255×255 pixels, to the same bits whatever number of threads torch has.

    A single thread rounds in another way than two or more, so it is given a second one.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads, 2))
    try:
        return functional.interpolate(images, (ENLARGED, ENLARGED), mode="bilinear")
    finally:
        torch.set_num_threads(threads)

"""Parameter counts that the transformers of several spaces share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

PATCH = 16  # pixels that a token starts from, squared


def count_patches(width: int) -> int:
    """Returns the number of parameters of the convolution that makes tokens of patches."""
    return (3 * PATCH**2 + 1) * width


def count_block(width: int, hidden: int) -> int:
    """Returns the number of parameters of a block; its number of heads does not matter.

    Args:
        width: Of the tokens.
        hidden: Of the MLP.
    """
    return count_attention(width) + count_layers((width, hidden, width)) + 2 * 2 * width


def count_attention(width: int) -> int:
    """Returns the number of parameters of queries, keys, values and projection."""
    return 4 * width * (width + 1)


def count_layers(widths: Sequence[int]) -> int:
    """Returns the number of parameters of linear layers, one between every two widths."""
    return sum((before + 1) * after for before, after in pairwise(widths))


def count_head(width: int, outputs: int) -> int:
    """Returns the number of parameters of the last norm and the classifier."""
    return 2 * width + (width + 1) * outputs

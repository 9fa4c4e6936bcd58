"""Parameter counts that the vision transformers of several spaces share."""

from __future__ import annotations

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
    attention = 4 * width * (width + 1)
    mlp = 2 * width * hidden + width + hidden
    return attention + mlp + 2 * 2 * width


def count_head(width: int, outputs: int) -> int:
    """Returns the number of parameters of the last norm and the classifier."""
    return 2 * width + (width + 1) * outputs

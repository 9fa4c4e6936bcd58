"""Search spaces: sample, parse and print the canonical key, build the network, count parameters."""

from harness.spaces import darts_space, darts_swap, nb101, nb201, nb301, tnb101
from harness.spaces.base import Regulariser, Space, spaces

__all__ = [
    "Regulariser",
    "Space",
    "darts_space",
    "darts_swap",
    "nb101",
    "nb201",
    "nb301",
    "spaces",
    "tnb101",
]

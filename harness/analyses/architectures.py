"""What the architectures of a column are like: properties of their cells, by seed."""

from __future__ import annotations

from functools import cache

import pandas as pd

from harness.results.finished import Result
from harness.spaces.cell_graph import NONE, CellGraph, is_convolution, is_pooling, is_skip
from harness.spaces.space import spaces

PROPERTIES = {
    "conv_pool": "convolutions less poolings",
    "cell_size": "operations other than none",
    "skips": "skip connections",
    "params": "million parameters",
    "depth": "most operations on a path through the cell",
    "width": "most operations side by side",
}
"""What a score may follow, counted over all cells of an architecture."""


def cells(result: Result) -> list[list[tuple[CellGraph, ...]]]:
    """Returns the cells of a column's architectures, by seed, in the order of ``result.joint``.

    Raises:
        HarnessError: If the search space does not tell.
    """
    return [[_cells(result.space, key) for key in table.index] for table in result.joint.columns]


def properties(result: Result) -> list[pd.DataFrame]:
    """Returns ``PROPERTIES``, by seed, a row per architecture.

    Raises:
        HarnessError: If the search space does not tell.
    """
    return [
        pd.DataFrame(
            [_properties(result.space, result.task, key) for key in table.index], index=table.index
        )
        for table in result.joint.columns
    ]


def convolutions(result: Result) -> list[list[int]]:
    """Returns how many convolutions a column's architectures have, by seed.

    Raises:
        HarnessError: If the search space does not tell.
    """
    return [[_convolutions(own) for own in of_seed] for of_seed in cells(result)]


def isomorphism_classes(result: Result) -> list[list[str]]:
    """Returns the names of the functions that a column's architectures compute, by seed."""
    return [[_class(result.space, key) for key in table.index] for table in result.joint.columns]


# Tasks and seeds share architectures.
@cache
def _cells(space: str, key: str) -> tuple[CellGraph, ...]:
    return spaces.get(space).cells(key)


@cache
def _class(space: str, key: str) -> str:
    return spaces.get(space).isomorphism_class(key)


@cache
def _properties(space: str, task: str, key: str) -> dict[str, float]:
    own = _cells(space, key)
    return {
        "conv_pool": _convolutions(own) - sum(cell.count(is_pooling) for cell in own),
        "cell_size": sum(cell.count(lambda operation: operation != NONE) for cell in own),
        "skips": sum(cell.count(is_skip) for cell in own),
        "params": spaces.get(space).count_params(key, task) / 1e6,
        "depth": sum(cell.depth for cell in own),
        "width": sum(cell.width for cell in own),
    }


def _convolutions(own: tuple[CellGraph, ...]) -> int:
    return sum(cell.count(is_convolution) for cell in own)

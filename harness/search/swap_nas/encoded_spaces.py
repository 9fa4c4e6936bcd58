"""The encodings of the spaces that can be searched."""

from __future__ import annotations

from functools import cache

import numpy as np

from harness.core.errors import unknown
from harness.search.swap_nas.encodings import (
    Codes,
    CompleteGraph,
    Encoding,
    ModuleSequence,
    exchanged_columns,
    with_entries,
)
from harness.search.swap_nas.nb101_encoding import Nb101Cells
from harness.spaces import darts_space, nb201, nb301, tnb101
from harness.spaces.darts import NODES, OPERATIONS, Edges, Genotype
from harness.spaces.space import spaces

SEARCHABLE = ("darts", "nb101", "nb201", "tnb101_macro", "tnb101_micro")


@cache
def encoding(space: str, cell_mode: str = "tied") -> Encoding:
    """Returns the encoding of a space.

    Args:
        space: One of ``SEARCHABLE``.
        cell_mode: DARTS: ``tied`` (one cell for both places) or ``separate``.

    Raises:
        HarnessError: If the space has no encoding.
    """
    match space:
        case "darts":
            return DartsCells(cells=1 if cell_mode == "tied" else 2)
        case "nb101":
            return Nb101Cells()
        case "nb201":
            return CompleteGraph(len(nb201.OPERATIONS), _parse_nb201, _nb201_key)
        case "tnb101_micro":
            return CompleteGraph(4, _parse_micro, _micro_key)
        case "tnb101_macro":
            listed = spaces.get(space).keys()
            keys = {tnb101.parse_macro(key): key for key in listed}
            return ModuleSequence(4, 6, keys)
    raise unknown("space to search", space, SEARCHABLE)


def _parse_nb201(key: str) -> list[int]:
    return [nb201.OPERATIONS.index(operation) for operation in nb201.parse(key)]


def _nb201_key(codes: list[int]) -> str:
    return nb201.to_key([nb201.OPERATIONS[code] for code in codes])


def _parse_micro(key: str) -> list[int]:
    return [int(digit) for digit in tnb101.parse_micro(key)]


def _micro_key(codes: list[int]) -> str:
    return tnb101.micro_from_naslib(codes)


class DartsCells(Encoding):
    """DARTS cells: six nodes, of which the last four have two incoming edges each.

    Entry (i, j) is 1 + the operation's place in ``darts.OPERATIONS``. A connectivity mutation
    moves an edge to another source of the same node, so that every node keeps two inputs; the
    paper's figure 13 also moves edges to another target, which would break that rule.

    Args:
        cells: 1 for one cell in both places, 2 for a normal and a reduction cell.
    """

    COLUMNS = range(2, 2 + NODES)

    def __init__(self, cells: int) -> None:
        self.cells = cells

    def matrix(self, key: str) -> Codes:
        """Returns the cells×6×6 matrix; tied cells are read from the reduction cell."""
        genotype = nb301.parse(key)
        matrix = np.zeros((self.cells, 2 + NODES, 2 + NODES), dtype=np.int64)
        for cell, edges in zip(matrix, genotype[-self.cells :], strict=True):
            for position, (operation, source) in enumerate(edges):
                cell[source, 2 + position // 2] = 1 + OPERATIONS.index(operation)
        return matrix

    def key(self, matrix: Codes) -> str:
        """Returns the canonical key of a cells×6×6 matrix."""
        cells = [self._edges(cell) for cell in matrix]
        genotype = Genotype(*cells) if self.cells == 2 else darts_space.tied(cells[0])
        return nb301.to_key(genotype)

    def _edges(self, cell: Codes) -> Edges:
        return tuple(
            (OPERATIONS[cell[source, target] - 1], source)
            for target in self.COLUMNS
            for source in np.flatnonzero(cell[:, target]).tolist()
        )

    def random(self, random: np.random.Generator) -> str:
        """Draws two different sources and two operations for every node."""
        matrix = np.zeros((self.cells, 2 + NODES, 2 + NODES), dtype=np.int64)
        for cell in matrix:
            for target in self.COLUMNS:
                sources = random.choice(target, size=2, replace=False)
                cell[sources, target] = random.integers(1, len(OPERATIONS) + 1, size=2)
        return self.key(matrix)

    def operation_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every architecture with another operation on one edge."""
        return [
            with_entries(matrix, {place: code})
            for place in _edges_of(matrix)
            for code in range(1, len(OPERATIONS) + 1)
            if code != matrix[place]
        ]

    def connection_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every architecture with one edge from another source to the same node."""
        return [
            with_entries(
                matrix,
                {
                    (cell, source, target): 0,
                    (cell, other, target): int(matrix[cell, source, target]),
                },
            )
            for cell, source, target in _edges_of(matrix)
            for other in range(target)
            if matrix[cell, other, target] == 0
        ]

    def exchanges(self, a: Codes, b: Codes) -> list[tuple[Codes, Codes]]:
        """Exchanges both edges that enter one node."""
        return exchanged_columns(a, b, columns=self.COLUMNS)


def _edges_of(matrix: Codes) -> list[tuple[int, int, int]]:
    return [(int(c), int(i), int(j)) for c, i, j in np.argwhere(matrix)]

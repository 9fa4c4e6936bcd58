"""NAS-Bench-101's cells as matrices that evolution changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from harness.search.swap_nas.encodings import Codes, Encoding, exchanged_columns, with_entries
from harness.spaces import nb101
from harness.spaces.nb101_cells import MAX_VERTICES, OPERATIONS, Spec, flaw, prune, to_key
from harness.spaces.space import spaces

LAST = MAX_VERTICES - 1
ABOVE = tuple(combinations(range(MAX_VERTICES), 2))


class Nb101Cells(Encoding):
    """Cells with their operations on the vertices: 1 + operation on the diagonal, 1 for an edge.

    The output is always the last of seven vertices; those that a smaller cell lacks are zero. A
    connectivity mutation adds or removes an edge, puts a new vertex on one, or takes a vertex away
    that lies on a single path. As the benchmark does, cells are pruned, and isomorphic ones are
    one architecture.
    """

    def matrix(self, key: str) -> Codes:
        """Returns the 1×7×7 matrix of a cell."""
        spec = nb101.parse(key)
        count = len(spec.operations)
        places = [*range(count - 1), LAST]
        matrix = np.zeros((1, MAX_VERTICES, MAX_VERTICES), dtype=np.int64)
        matrix[0][np.ix_(places, places)] = spec.matrix
        for vertex in range(1, count - 1):
            matrix[0, vertex, vertex] = 1 + OPERATIONS.index(spec.operations[vertex])
        return matrix

    def key(self, matrix: Codes) -> str:
        """Returns the key of a 1×7×7 matrix, spelled as the benchmark does."""
        return spaces.get("nb101").benchmark_key(to_key(_pruned(matrix)))

    def random(self, random: np.random.Generator) -> str:
        """Draws one of all cells."""
        space = spaces.get("nb101")
        return space.key_at(int(random.integers(len(space.listed()))))

    def operation_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every cell with another operation on one vertex, all of the smallest for it."""
        mutants = [
            with_entries(matrix, {(0, vertex, vertex): code})
            for vertex in np.flatnonzero(matrix[0].diagonal()).tolist()
            for code in range(1, 1 + len(OPERATIONS))
            if code != matrix[0, vertex, vertex]
        ]
        return mutants or self.connection_mutants(matrix)  # input to output has no operation

    def connection_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every cell with one edge or one vertex on an edge more or less."""
        candidates = [*_edges_changed(matrix), *_vertices_added(matrix), *_vertices_removed(matrix)]
        return [one for one in candidates if _is_cell(one) and _pruned(one) != _pruned(matrix)]

    def exchanges(self, a: Codes, b: Codes) -> list[tuple[Codes, Codes]]:
        """Exchanges what enters one vertex, with its operation."""
        return [
            pair
            for pair in exchanged_columns(a, b, columns=range(1, MAX_VERTICES))
            if all(map(_is_cell, pair))
        ]


def _pruned(matrix: Codes) -> Spec:
    edges = np.triu(matrix[0], k=1)
    inner = [OPERATIONS[max(code - 1, 0)] for code in matrix[0].diagonal()[1:-1].tolist()]
    return prune(Spec(tuple(map(tuple, edges.tolist())), ("input", *inner, "output")))


def _is_cell(matrix: Codes) -> bool:
    return not flaw(_pruned(matrix))


def _edges_changed(matrix: Codes) -> Iterator[Codes]:
    used = {0, LAST, *np.flatnonzero(matrix[0].diagonal()).tolist()}
    for source, target in ABOVE:
        if source in used and target in used:
            yield with_entries(matrix, {(0, source, target): 1 - int(matrix[0, source, target])})


def _vertices_added(matrix: Codes) -> Iterator[Codes]:
    """Yields matrices with a vertex on an edge: the later ones move up to make room."""
    count = np.count_nonzero(matrix[0].diagonal())
    if count == MAX_VERTICES - 2:
        return
    for source, target in _edges(matrix):
        place = source + 1
        order = [*range(place), LAST - 1, *range(place, LAST - 1), LAST]
        moved = matrix[:, order][:, :, order]
        beyond = target if target == LAST else target + 1
        for code in range(1, 1 + len(OPERATIONS)):
            yield with_entries(
                moved,
                {
                    (0, place, place): code,
                    (0, source, place): 1,
                    (0, place, beyond): 1,
                    (0, source, beyond): 0,
                },
            )


def _vertices_removed(matrix: Codes) -> Iterator[Codes]:
    """Yields matrices in which an edge goes past a vertex that had one in and one out."""
    edges = np.triu(matrix[0], k=1)
    for vertex in np.flatnonzero(matrix[0].diagonal()).tolist():
        sources, targets = np.flatnonzero(edges[:, vertex]), np.flatnonzero(edges[vertex])
        if len(sources) == len(targets) == 1 and not edges[sources[0], targets[0]]:
            source, target = int(sources[0]), int(targets[0])
            yield with_entries(
                matrix,
                {
                    (0, vertex, vertex): 0,
                    (0, source, vertex): 0,
                    (0, vertex, target): 0,
                    (0, source, target): 1,
                },
            )


def _edges(matrix: Codes) -> Iterator[tuple[int, int]]:
    return ((u, v) for u, v in ABOVE if matrix[0, u, v])

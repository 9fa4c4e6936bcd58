"""Cells of NAS-Bench-101: matrix and operations, pruning, keys and the isomorphism hash."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.core.errors import HarnessError, shown, unknown
from harness.spaces import spelling

# In the order of the labels that enter the isomorphism hash.
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
# In the order of the operation ids of NASLib and NAS-Bench-Suite-Zero.
NASLIB_OPERATIONS = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
MAX_VERTICES, MAX_EDGES = 7, 9


class Spec(NamedTuple):
    """A cell as the benchmark writes it.

    Attributes:
        matrix: V×V, upper triangular; 1 at (u, v) is an edge from vertex u to vertex v.
        operations: One per vertex, ``input`` first and ``output`` last.
    """

    matrix: tuple[tuple[int, ...], ...]
    operations: tuple[str, ...]

    def sources(self, vertex: int) -> list[int]:
        """Returns the vertices that feed ``vertex``, in ascending order."""
        return [source for source, row in enumerate(self.matrix) if row[vertex]]

    def targets(self, vertex: int) -> list[int]:
        """Returns the vertices that ``vertex`` feeds, in ascending order."""
        return [target for target, edge in enumerate(self.matrix[vertex]) if edge]


def checked(matrix: Sequence[Sequence[int]], operations: Sequence[str]) -> Spec:
    """Returns the pruned cell of a matrix and its operations.

    Args:
        matrix: V×V adjacency matrix of zeros and ones, upper triangular.
        operations: V names: ``input``, then entries of ``OPERATIONS``, then ``output``.

    Raises:
        HarnessError: If this is not a cell, or not one of the benchmark's after pruning.
    """
    vertices = len(operations)
    if vertices < 2 or [len(row) for row in matrix] != [vertices] * vertices:
        raise HarnessError(
            "A NAS-Bench-101 cell needs a square matrix of at least two vertices and one "
            f"operation per vertex; got {len(matrix)} rows and {vertices} operations."
        )
    if any(edge not in ((0, 1) if u < v else (0,)) for u, v, edge in _entries(matrix)):
        raise HarnessError(
            "The matrix of a NAS-Bench-101 cell holds zeros and ones, and ones only above its "
            "diagonal."
        )
    if (operations[0], operations[-1]) != ("input", "output"):
        raise HarnessError(
            "The operations of a NAS-Bench-101 cell begin with 'input' and end with 'output'."
        )
    for operation in operations[1:-1]:
        if operation not in OPERATIONS:
            raise unknown("NAS-Bench-101 operation", operation, OPERATIONS)
    # Plain integers: numpy's are printed differently, which would change the isomorphism hash.
    rows = tuple(tuple(int(edge) for edge in row) for row in matrix)
    spec = prune(Spec(rows, tuple(operations)))
    if reason := flaw(spec):
        raise HarnessError(f"This cell is not in NAS-Bench-101: {reason}.")
    return spec


def _entries(rows: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    return [(u, v, edge) for u, row in enumerate(rows) for v, edge in enumerate(row)]


def prune(spec: Spec) -> Spec:
    """Takes away the vertices that lie on no path from the input to the output."""
    last = len(spec.operations) - 1
    reached, useful = {0}, {last}
    for vertex in range(1, last):
        if reached.intersection(spec.sources(vertex)):
            reached.add(vertex)
    for vertex in reversed(range(1, last)):
        if useful.intersection(spec.targets(vertex)):
            useful.add(vertex)
    kept = sorted({0, last} | (reached & useful))
    return Spec(
        tuple(tuple(spec.matrix[u][v] for v in kept) for u in kept),
        tuple(spec.operations[v] for v in kept),
    )


def flaw(pruned: Spec) -> str:
    """Tells why a pruned cell is not in the benchmark; empty if it is."""
    edges = sum(map(sum, pruned.matrix))
    if edges == 0:
        return "no path leads from its input to its output"
    if len(pruned.operations) > MAX_VERTICES:
        return f"{len(pruned.operations)} vertices remain after pruning, at most {MAX_VERTICES} may"
    if edges > MAX_EDGES:
        return f"{edges} edges remain after pruning, at most {MAX_EDGES} may"
    return ""


def short(operation: str) -> str:
    """Returns what keys call an operation."""
    return operation.removesuffix("-bn-relu")


def to_key(pruned: Spec) -> str:
    """Returns the key of a pruned cell."""
    names = [short(operation) for operation in pruned.operations]
    return "|".join(
        f"{names[vertex]}~{''.join(map(str, pruned.sources(vertex)))}"
        for vertex in range(1, len(names))
    )


_VERTEX = "([a-z0-9]{1,20})~([0-9]{0,9})"


def parse_cell(key: str) -> Spec:
    """Returns the pruned matrix and operations of a cell that is written out.

    Args:
        key: The key, NASLib's tuple, or ``(matrix, operations)``, as text.

    Raises:
        HarnessError: If the text is not an architecture of the benchmark.
    """
    text = str(key).strip()
    match spelling.literal(text):
        case [[*rows], [*names]]:
            edges = [row for row in map(spelling.integers, rows) if row]
            if len(edges) == len(rows):
                return checked(edges, list(map(str, names)))
        case numbers if ids := spelling.integers(numbers):
            return parse_cell(from_naslib(ids))
    # Vertices are numbered by one digit.
    if not re.fullmatch(rf"({_VERTEX}\|){{0,8}}{_VERTEX}", text):
        raise HarnessError(
            f"{shown(text)} is not a NAS-Bench-101 architecture; expected the form "
            "'conv3x3~0|maxpool3x3~01|output~2', the benchmark's hash, NASLib's tuple of 56 "
            "numbers or ([[0, 1], [0, 0]], ['input', 'output']), matrix and operations."
        )
    parts = re.findall(_VERTEX, text)
    full_names = {short(operation): operation for operation in OPERATIONS}
    operations, matrix = ["input"], [[0] * (len(parts) + 1) for _ in range(len(parts) + 1)]
    for vertex, (name, sources) in enumerate(parts, start=1):
        operations.append(full_names.get(name, name))
        for source in map(int, sources):
            if source >= vertex:
                raise HarnessError(
                    f"{text!r} is not a NAS-Bench-101 architecture: vertex {vertex} ({name}) "
                    f"comes before vertex {source} and cannot be fed by it."
                )
            if matrix[source][vertex]:
                raise HarnessError(
                    f"{text!r} is not a NAS-Bench-101 architecture: vertex {vertex} ({name}) names "
                    f"vertex {source} twice."
                )
            matrix[source][vertex] = 1
    return checked(matrix, operations)


def from_spec(matrix: Sequence[Sequence[int]], operations: Sequence[str]) -> str:
    """Returns the key of a cell given as the benchmark's matrix and operations.

    The arguments and errors are those of ``checked``.
    """
    return to_key(checked(matrix, operations))


def from_naslib(values: Sequence[int]) -> str:
    """Returns the key of a cell in the integer form of NASLib and NAS-Bench-Suite-Zero.

    Args:
        values: The V×V matrix row by row, then V operation ids, which count through
            ``NASLIB_OPERATIONS``: 56 integers for V=7. Smaller cells are padded there to V=7:
            their output moves to the last column, and unconnected convolutions fill the gap.
            Pruning takes these away again.

    Raises:
        HarnessError: If the numbers are not a cell of the benchmark.
    """
    vertices = math.isqrt(len(values))
    if vertices == 0 or vertices * (vertices + 1) != len(values):
        raise HarnessError(
            f"{len(values)} integers are not a NAS-Bench-101 cell; expected 56: a 7×7 matrix, row "
            "by row, and seven operation ids."
        )
    *rows, ids = (values[start : start + vertices] for start in range(0, len(values), vertices))
    names = dict(enumerate(NASLIB_OPERATIONS))
    for number in ids:
        if number not in names:
            raise unknown("NASLib operation id", number, map(str, names))
    return from_spec(rows, [names[number] for number in ids])


def to_naslib(pruned: Spec) -> tuple[int, ...]:
    """Returns the 56 integers of a pruned cell, padded as ``from_naslib`` describes."""
    *inner, output = range(len(pruned.operations))
    places = [*inner, MAX_VERTICES - 1]
    matrix = [[0] * MAX_VERTICES for _ in range(MAX_VERTICES)]
    for u, v, edge in _entries(pruned.matrix):
        matrix[places[u]][places[v]] = edge
    padding = [OPERATIONS[0]] * (MAX_VERTICES - 1 - output)
    names = [*pruned.operations[:-1], *padding, pruned.operations[-1]]
    return (*(edge for row in matrix for edge in row), *map(NASLIB_OPERATIONS.index, names))


def isomorphism_hash(pruned: Spec) -> str:
    """Returns the benchmark's hash of a pruned cell, equal for isomorphic cells.

    Every vertex starts with its degrees and label, then repeatedly takes in its neighbours'
    hashes, as often as there are vertices (Ying, "Enumerating Unique Computational Graphs via an
    Iterative Graph Invariant", 2019).
    """
    labels = [-1, *map(OPERATIONS.index, pruned.operations[1:-1]), -2]
    vertices = range(len(labels))
    sources = [pruned.sources(vertex) for vertex in vertices]
    targets = [pruned.targets(vertex) for vertex in vertices]
    hashes = [_md5(str((len(targets[v]), len(sources[v]), labels[v]))) for v in vertices]
    for _ in vertices:
        hashes = [
            _md5(f"{_joined(hashes, sources[v])}|{_joined(hashes, targets[v])}|{hashes[v]}")
            for v in vertices
        ]
    return _md5(str(sorted(hashes)))


def _joined(hashes: Sequence[str], vertices: Sequence[int]) -> str:
    return "".join(sorted(hashes[vertex] for vertex in vertices))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

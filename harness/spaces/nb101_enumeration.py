"""All 423,624 cells of NAS-Bench-101, enumerated from their definition alone.

A cell is a directed acyclic graph of at most 7 vertices and 9 edges, every vertex on a path from
the input to the output, with one of three operations on each vertex between (Ying et al.,
"NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019). Two cells are the same
if the benchmark's hash of them is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from harness.spaces.nb101_cells import (
    MAX_EDGES,
    MAX_VERTICES,
    OPERATIONS,
    Spec,
    isomorphism_hash,
)

Bits = NDArray[np.int64]
LABEL_BITS = 2  # per vertex between input and output
GRAPH_BITS = 22  # 21 pairs of vertices, and a leading one that tells how many there are


def pairs_of(vertices: int) -> list[tuple[int, int]]:
    """Returns the pairs of vertices i < j in the order of a graph's bits: by j, then by i.

    The benchmark counts so through its graphs and keeps the first spelling of every cell that it
    meets. Of a class we take the smallest graph and the first operations, which is the same one.
    """
    return [(i, j) for j in range(vertices) for i in range(j)]


def cells_by_hash() -> dict[str, int]:
    """Returns the code of one cell for every hash, in ascending order of the hashes.

    It takes minutes: every hash is some hundred MD5 sums.
    """
    found: dict[str, int] = {}
    for vertices in range(2, MAX_VERTICES + 1):
        for graph, labels in labelled_graphs(vertices):
            code = encode(vertices, graph, labels)
            found.setdefault(isomorphism_hash(decode(code)), code)
    return dict(sorted(found.items()))


def labelled_graphs(vertices: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yields one (graph, operations) of every isomorphism class with so many vertices.

    Bit k of a graph is the edge between the k-th of ``pairs_of``; operations are indices into
    ``OPERATIONS``, one per vertex between input and output.
    """
    every = list(product(range(len(OPERATIONS)), repeat=vertices - 2))
    for graph, symmetries in graphs(vertices):
        for labels in every:
            # Of labellings that a symmetry of the graph turns into each other, the first counts.
            if all(tuple(labels[i] for i in order) >= labels for order in symmetries):
                yield graph, labels


def graphs(vertices: int) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
    """Yields one graph of every class without operations, and its symmetries.

    A symmetry is an order of the inner vertices that leaves the graph as it is.
    """
    connected = _connected(vertices)
    orders = list(permutations(range(vertices - 2)))
    reordered = np.stack([_reordered(connected, vertices, order) for order in orders])
    smallest = reordered.min(axis=0)
    for place in np.flatnonzero(smallest == connected):
        same = np.flatnonzero(reordered[:, place] == connected[place])
        yield int(connected[place]), [orders[i] for i in same]


def _connected(vertices: int) -> Bits:
    """Returns all graphs in which every vertex has a way from the input and to the output.

    Edges run from lower to higher vertices, so one edge into each and one out of each suffice.
    """
    pairs = pairs_of(vertices)
    every = np.arange(1 << len(pairs), dtype=np.int64)
    kept = np.bitwise_count(every) <= MAX_EDGES
    for vertex in range(vertices):
        into = sum(1 << k for k, (_, j) in enumerate(pairs) if j == vertex)
        out = sum(1 << k for k, (i, _) in enumerate(pairs) if i == vertex)
        kept &= (vertex == 0) | (every & into != 0)
        kept &= (vertex == vertices - 1) | (every & out != 0)
    return every[kept]


def _reordered(every: Bits, vertices: int, order: tuple[int, ...]) -> Bits:
    """Returns the graphs with their inner vertices in another order.

    Where an edge would run backwards the order is none of this graph: a number larger than all.
    """
    place = [0, *(1 + order.index(i) for i in range(vertices - 2)), vertices - 1]
    pairs = pairs_of(vertices)
    number = {pair: k for k, pair in enumerate(pairs)}
    result = np.zeros_like(every)
    for k, (i, j) in enumerate(pairs):
        edge = (every >> k) & 1
        if place[i] < place[j]:
            result |= edge << number[place[i], place[j]]
        else:
            result |= edge << 62
    return result


def encode(vertices: int, graph: int, labels: tuple[int, ...]) -> int:
    """Returns a cell as 32 bits: a one behind its pairs of vertices, its edges, its operations."""
    marked = graph | 1 << (vertices * (vertices - 1) // 2)
    return marked | sum(label << (GRAPH_BITS + LABEL_BITS * i) for i, label in enumerate(labels))


def decode(code: int) -> Spec:
    """Returns the cell of a code."""
    marked = code & ((1 << GRAPH_BITS) - 1)
    pairs = marked.bit_length() - 1
    vertices = next(v for v in range(2, MAX_VERTICES + 1) if v * (v - 1) // 2 == pairs)
    matrix = [[0] * vertices for _ in range(vertices)]
    for k, (i, j) in enumerate(pairs_of(vertices)):
        matrix[i][j] = marked >> k & 1
    labels = [code >> (GRAPH_BITS + LABEL_BITS * i) & 3 for i in range(vertices - 2)]
    names = ("input", *(OPERATIONS[label] for label in labels), "output")
    return Spec(tuple(map(tuple, matrix)), names)

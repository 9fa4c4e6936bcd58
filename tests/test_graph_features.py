"""Features of graphs, against every path and every set of operations, one at a time."""

from itertools import chain, combinations

import numpy as np
import pytest

from harness.spaces.cell_graph import CellGraph
from harness.spaces.graph_features import graph_features, one_hot
from harness.spaces.space import spaces

DRAWN = ("nb201", "nb101", "nb301", "tnb101_micro", "tnb101_macro")


def cells_of(space: str, n: int) -> list[tuple[CellGraph, ...]]:
    of = spaces.get(space)
    return [of.cells(key) for key in of.sample(n, seed=1)]


def paths(cell: CellGraph, vertex: int, last: int) -> list[list[str]]:
    """Every path to the output, as the operations that it passes."""
    if vertex == last:
        return [[]]
    return [
        [name, *rest] if name else rest
        for source, target, name in cell.arcs
        if source == vertex
        for rest in paths(cell, target, last)
    ]


def touching(cell: CellGraph, ends: set[int], near: int, far: int) -> list[str]:
    """Operations that only connecting arcs part from some vertices, found arc by arc."""
    found = []
    for arc in cell.arcs:
        if arc[near] in ends:
            found += [arc[2]] if arc[2] else touching(cell, {arc[far]}, near, far)
    return found


def slow(cell: CellGraph, operations: list[str]) -> list[float]:
    last = max(target for _, target, _ in cell.arcs)
    inputs = set(range(cell.inputs))
    every = [path for vertex in inputs for path in paths(cell, vertex, last)]
    names = [name for *_, name in cell.arcs if name]
    seeing, feeding = touching(cell, inputs, 0, 1), touching(cell, {last}, 1, 0)
    numbers = [float(names.count(name)) for name in operations]
    for s in range(1, 2 ** len(operations)):
        chosen = {name for i, name in enumerate(operations) if s >> i & 1}

        def inside(of: list[str], chosen: set[str] = chosen) -> int:
            return sum(name in chosen for name in of)

        through = [len(path) for path in every if inside(path) == len(path)]
        numbers += [
            min(through, default=len(cell.arcs)),
            max(map(inside, every)),
            inside(seeing),
            inside(feeding),
            inside(names) / (last + 1),
        ]
    return numbers


@pytest.mark.parametrize("space", DRAWN)
def test_features_are_those_of_all_paths(space: str) -> None:
    drawn = cells_of(space, 6)
    expected = []
    for cells in zip(*drawn, strict=True):
        names = sorted(set(chain.from_iterable(cell.operations for cell in cells)) - {""})
        expected.append([slow(cell, names) for cell in cells])
    np.testing.assert_allclose(graph_features(drawn), np.hstack(expected))


def test_five_operations_give_as_many_features_as_sets() -> None:
    assert graph_features(cells_of("nb201", 60)).shape == (60, 5 + 5 * 31)


def test_encoding_tells_architectures_apart_and_nothing_else() -> None:
    for space in DRAWN:
        drawn = cells_of(space, 40)
        encoded = one_hot(drawn)
        assert set(np.unique(encoded)) == {0.0, 1.0}
        for a, b in combinations(range(40), 2):
            assert (encoded[a] == encoded[b]).all() == (drawn[a] == drawn[b])
    assert (one_hot(cells_of("nb201", 200)).sum(axis=1) == 6).all()
    assert one_hot(cells_of("nb201", 200)).shape[1] == 6 * 5


def test_the_output_of_a_small_cell_is_that_of_a_large_one() -> None:
    space = spaces.get("nb101")
    small, large = "conv3x3~0|output~1", "conv3x3~0|conv1x1~1|output~2"
    encoded = one_hot([space.cells(small), space.cells(large)])
    shared = (encoded == 1).all(axis=0).sum()
    assert shared == 2, "the first vertex and what feeds it, not what it feeds"

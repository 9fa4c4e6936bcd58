"""Features of architectures for a model to learn from: the encoded cells, and their graphs' shape.

The graph features are those of GRAF (Kadlecová et al., "Surprisingly Strong Performance Prediction
with Neural Graph Features", ICML 2024): how often each operation occurs, and for every set of
operations how short a path can be on them alone, how many of them a path can have, and how many of
them touch input and output. Arcs that only connect lie on every path and count as nothing; an
operation touches the input if only such arcs lie between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.spaces.cell_graph import Arc, CellGraph

Floats = NDArray[np.float64]


def one_hot(architectures: Sequence[Sequence[CellGraph]]) -> Floats:
    """Returns which arcs each architecture has, with which operation.

    Args:
        architectures: Per architecture its cells, as ``Space.cells`` returns them.

    Returns:
        n×m zeros and ones, a column per arc and operation that occurs in any of them.
    """
    found = [
        {
            (i, source, _place(target, cell), name)
            for i, cell in enumerate(cells)
            for source, target, name in cell.arcs
        }
        for cells in architectures
    ]
    columns = sorted(set().union(*found))
    return np.array([[column in own for column in columns] for own in found], dtype=float)


def _place(vertex: int, cell: CellGraph) -> int:
    """Gives the output one number, however many vertices a cell has."""
    return -1 if vertex == _output(cell) else vertex


def _output(cell: CellGraph) -> int:
    return max(target for _, target, _ in cell.arcs)


def graph_features(architectures: Sequence[Sequence[CellGraph]]) -> Floats:
    """Returns the features of GRAF, cell by cell.

    Args:
        architectures: Per architecture its cells, as ``Space.cells`` returns them; every one has
            as many.

    Returns:
        n×f. Per cell the counts of its k operations in alphabetical order, then five numbers for
        each of the 2^k − 1 non-empty sets of operations (set s holds operation i if bit i of s is
        set): operations on the shortest path through the set alone (the number of the cell's arcs
        if there is none), most of its operations on any path, how many of them see the cell's
        input, how many feed its output, and how many there are per vertex.
    """
    return np.hstack([_of_cell(cells) for cells in zip(*architectures, strict=True)])


def _of_cell(cells: Sequence[CellGraph]) -> Floats:
    operations = sorted({name for cell in cells for name in cell.operations} - {""})
    sets = np.arange(1, 2 ** len(operations))
    within = {name: (sets >> i & 1).astype(float) for i, name in enumerate(operations)}
    rows = []
    for cell in cells:
        counts = [float(cell.operations.count(name)) for name in operations]
        rows.append([*counts, *np.stack(_shape(cell, within, len(sets)), axis=1).ravel()])
    return np.array(rows)


def _shape(cell: CellGraph, within: dict[str, Floats], sets: int) -> list[Floats]:
    """Returns five numbers per set; ``within`` has a one for each set that an operation is in."""
    none, unreached = np.zeros(sets), np.full(sets, np.inf)
    shortest = dict.fromkeys(range(cell.inputs), none)
    most = dict.fromkeys(range(cell.inputs), none)
    for source, target, name in sorted(cell.arcs):  # whatever leads to a source comes before it
        step = np.where(within[name], 1.0, np.inf) if name else none
        path = shortest.get(source, unreached) + step
        shortest[target] = np.minimum(shortest.get(target, unreached), path)
        longer = most.get(source, -unreached) + within.get(name, none)
        most[target] = np.maximum(most.get(target, -unreached), longer)
    output = _output(cell)
    seeing = _joined(set(range(cell.inputs)), [arc[:2] for arc in cell.arcs if not arc[2]])
    feeding = _joined({output}, [arc[1::-1] for arc in cell.arcs if not arc[2]])

    def count(arcs: Iterable[Arc]) -> Floats:
        return sum((within[name] for *_, name in arcs if name), none)

    return [
        np.where(np.isinf(shortest[output]), float(len(cell.arcs)), shortest[output]),
        most[output],
        count(arc for arc in cell.arcs if arc[0] in seeing),
        count(arc for arc in cell.arcs if arc[1] in feeding),
        count(cell.arcs) / (output + 1),
    ]


def _joined(vertices: set[int], steps: Sequence[tuple[int, int]]) -> set[int]:
    """Returns the vertices that steps lead to from some of them, and these."""
    new = {end for start, end in steps if start in vertices} - vertices
    return _joined(vertices | new, steps) if new else vertices

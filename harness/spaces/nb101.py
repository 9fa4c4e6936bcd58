"""NAS-Bench-101: cells of at most seven vertices and nine edges, three operations, CIFAR-10.

Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019. The
benchmark names its 423,624 unique cells by an isomorphism hash, but no network can be built from a
hash, and isomorphic cells may even differ in parameters: channels that do not divide evenly go to
the first vertices. So the key is the pruned cell itself, ``isomorphism_class`` returns the hash and
``benchmark_key`` the spelling that the benchmark trained. A key lists the vertices after the input,
which is vertex 0, each as its operation and the vertices that feed it: in
``conv1x1~0|maxpool3x3~01|output~12`` the input feeds a 1×1 convolution (vertex 1) and a pooling
(vertex 2), the convolution feeds the pooling, both feed the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.inputs.tasks import Task
from harness.spaces import nb101_table
from harness.spaces.cell_graph import CellGraph
from harness.spaces.nb101_cells import (
    MAX_VERTICES,
    OPERATIONS,
    Spec,
    flaw,
    from_naslib,
    from_spec,
    isomorphism_hash,
    parse_cell,
    prune,
    to_key,
)
from harness.spaces.space import Space, in_order, spaces

if TYPE_CHECKING:  # keys need no torch
    import pyarrow as pa
    from torch import nn

__all__ = ["NasBench101", "Spec", "from_naslib", "from_spec", "parse", "vertex_widths"]

WIDTHS = (128, 256, 512)
CELLS_PER_STACK = 3


def parse(key: str) -> Spec:
    """Returns the pruned matrix and operations of an architecture.

    Args:
        key: The key, the benchmark's hash, NASLib's tuple, or ``(matrix, operations)``, as text.

    Raises:
        HarnessError: If the text is not an architecture of the benchmark.
    """
    text = str(key).strip()
    if re.fullmatch("[0-9a-fA-F]{32}", text):
        text = cell_of_hash(text.lower())
    return parse_cell(text)


def cell_of_hash(name: str) -> str:
    """Returns the key of the cell that the benchmark names by a hash of 32 hexadecimal digits.

    Raises:
        HarnessError: If the benchmark has none of that hash.
    """
    return nb101_table.key_at(_place(name))


def _place(name: str) -> int:
    """Returns the place of a hash among the benchmark's ascending ones."""
    place = nb101_table.position(name)
    if place is None:
        raise HarnessError(f"{name!r} is the hash of no NAS-Bench-101 cell.")
    return place


def vertex_widths(spec: Spec, c_in: int, c_out: int) -> list[int]:
    """Returns the number of channels of every vertex of a cell from c_in to c_out channels.

    The vertices before the output share its channels, the first of them taking one more where
    these do not divide evenly; every other vertex is as wide as the widest that it feeds.
    """
    last = len(spec.operations) - 1
    widths = [c_in] + [0] * (last - 1) + [c_out]
    joined = [vertex for vertex in spec.sources(last) if vertex > 0]
    for place, vertex in enumerate(joined):
        widths[vertex] = c_out // len(joined) + (place < c_out % len(joined))
    for vertex in reversed(range(1, last)):
        if vertex not in joined:
            widths[vertex] = max(widths[target] for target in spec.targets(vertex))
    return widths


def cell_widths() -> Iterator[tuple[int, int]]:
    """Yields the (input, output) channels of the nine cells: the first of a stack widens."""
    c_in = WIDTHS[0]
    for width in WIDTHS:
        for _ in range(CELLS_PER_STACK):
            yield c_in, width
            c_in = width


def _count_cell(spec: Spec, c_in: int, c_out: int) -> int:
    widths = vertex_widths(spec, c_in, c_out)
    total = sum((c_in + 2) * widths[target] for target in spec.targets(0))
    for operation, width in zip(spec.operations, widths, strict=True):
        if operation == "conv3x3-bn-relu":
            total += 9 * width**2 + 2 * width
        elif operation == "conv1x1-bn-relu":
            total += width**2 + 2 * width
    return total


def labelled_cell(random: np.random.Generator) -> str:
    """Draws one cell uniformly over labelled, unpruned matrices; see ``sample_labelled``."""
    while True:
        matrix = np.zeros((MAX_VERTICES, MAX_VERTICES), dtype=int)
        above = np.triu_indices(MAX_VERTICES, k=1)
        matrix[above] = random.integers(2, size=len(above[0]))
        interior = random.integers(len(OPERATIONS), size=MAX_VERTICES - 2)
        operations = ("input", *(OPERATIONS[i] for i in interior), "output")
        spec = prune(Spec(tuple(map(tuple, matrix.tolist())), operations))
        if not flaw(spec):
            return to_key(spec)


class NasBench101(Space):
    """NAS-Bench-101: cells of at most seven vertices and nine edges, three operations."""

    name = "nb101"
    tasks = ("cifar10", "digits")
    spellings: ClassVar[Mapping[str, str]] = {
        "pruned cell": "conv1x1~0|maxpool3x3~01|output~12",
        "the benchmark's hash": "31d1039b23e8e5454fcc96406b9c94e5",
        "matrix and operations": "([[0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], "
        "['input', 'conv1x1-bn-relu', 'maxpool3x3', 'output'])",
        "NASLib's tuple of 56 numbers": "(0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, "
        "0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
        "0, 0, 3, 2, 4, 4, 4, 1)",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 423,624 keys in the order of the benchmark's hashes."""
        keys: list[str] = nb101_table.keys().to_pylist()
        return keys

    def index(self, key: str) -> int:
        """Returns the place of a cell among the benchmark's ascending hashes, in any spelling.

        Raises:
            HarnessError: If there is no such cell.
        """
        return _place(self.isomorphism_class(key))

    def key_at(self, index: int) -> str:
        """Returns the cell at a place among the benchmark's ascending hashes.

        Raises:
            HarnessError: If there is no such place.
        """
        count = len(nb101_table.codes())
        if not 0 <= index < count:
            raise HarnessError(
                f"{index} is no index of nb101, whose {count:,} architectures are numbered from 0."
            )
        return nb101_table.key_at(index)

    @cache  # noqa: B019 - there is one space
    def listed(self) -> pa.StringArray:
        """Returns all keys in ascending order: 29 MB and no Python object for each."""
        return in_order(nb101_table.keys())

    def sample_labelled(self, n: int, seed: int) -> list[str]:
        """Draws cells as NAS-Bench-Suite-Zero does, with repeats.

        Every possible edge of a seven-vertex cell and every operation is drawn uniformly until
        the cell is one of the benchmark's. This is uniform over labelled, unpruned matrices, not
        over the unique cells: small cells, which many matrices are pruned to, are drawn most.
        A key is the drawn spelling, pruned.
        """
        random = seeds.numpy_stream("sample", self.name, seed, "labelled")
        return [labelled_cell(random) for _ in range(n)]

    def canonical(self, key: str) -> str:
        """Returns the key of the pruned cell, with the sources of each vertex in order."""
        return to_key(parse(key))

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's network: 128 channels, three stacks of three cells."""
        from harness.spaces.networks.nb101_network import Nb101Network

        return Nb101Network(parse(key), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters; the input feeding the output alone leaves 882,570 of them."""
        spec, outputs = parse(key), self.task(task).outputs
        stem, classifier = 29 * WIDTHS[0], (WIDTHS[-1] + 1) * outputs
        return stem + classifier + sum(_count_cell(spec, *widths) for widths in cell_widths())

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the cell; vertex v is the arc from 2v to 2v + 1."""
        spec = parse(key)
        last = len(spec.operations) - 1
        arcs = [
            (2 * source + 1 if source else 0, 2 * target, "")
            for target in range(1, last + 1)
            for source in spec.sources(target)
        ]
        arcs += [(2 * v, 2 * v + 1, spec.operations[v]) for v in range(1, last)]
        return (CellGraph(tuple(arcs)),)

    def isomorphism_class(self, key: str) -> str:
        """Returns the benchmark's hash, the key of its table: 423,624 classes."""
        return isomorphism_hash(parse(key))

    def benchmark_key(self, key: str) -> str:
        """Returns the spelling of the cell that the benchmark trained.

        Raises:
            HarnessError: If the string is no cell of the benchmark.
        """
        return cell_of_hash(self.isomorphism_class(key))


spaces.add(NasBench101.name, NasBench101())

"""NAS-Bench-101: cells of at most seven vertices and nine edges, three operations, CIFAR-10.

Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019. The
benchmark names its 423,624 unique cells by an isomorphism hash, but no network can be built from a
hash, and isomorphic cells may even differ in parameters: channels that do not divide evenly go to
the first vertices. So the key is the pruned cell itself, and ``isomorphism_class`` returns the
hash. A key lists the vertices after the input, which is vertex 0, each as its operation and the
vertices that feed it: in ``conv1x1~0|maxpool3x3~01|output~12`` the input feeds a 1×1 convolution
(vertex 1) and a pooling (vertex 2), the convolution feeds the pooling, both feed the output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness.core.errors import HarnessError
from harness.inputs.tasks import Task
from harness.spaces import nb101_enumeration
from harness.spaces.drawn import DrawnSpace
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
from harness.spaces.space import spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

__all__ = ["NasBench101", "Spec", "from_naslib", "from_spec", "parse", "vertex_widths"]

WIDTHS = (128, 256, 512)
CELLS_PER_STACK = 3
SMALL = 5  # vertices


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
    """Returns the key of a cell that the benchmark names by this hash.

    Raises:
        HarnessError: If no cell of at most ``SMALL`` vertices has it: the larger ones are too many
            to enumerate here.
    """
    cells = _small_cells()
    if name not in cells:
        raise HarnessError(
            f"{name!r} is the hash of no NAS-Bench-101 cell of at most {SMALL} vertices, and the "
            "larger cells cannot be told from their hash; give matrix and operations."
        )
    return to_key(nb101_enumeration.decode(cells[name]))


@cache
def _small_cells() -> dict[str, int]:
    """Returns the codes of the 2,532 cells of at most ``SMALL`` vertices by their hashes."""
    codes = [
        nb101_enumeration.encode(vertices, *cell)
        for vertices in range(2, SMALL + 1)
        for cell in nb101_enumeration.labelled_graphs(vertices)
    ]
    return {isomorphism_hash(nb101_enumeration.decode(code)): code for code in codes}


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


class NasBench101(DrawnSpace):
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

    def draw(self, random: np.random.Generator) -> str:
        """Draws a cell as NAS-Bench-Suite-Zero does.

        Every possible edge of a seven-vertex cell and every operation is drawn uniformly until
        the cell is one of the benchmark's. This is uniform over labelled, unpruned matrices, not
        over the unique cells: cells with many isomorphic spellings are drawn more often.
        """
        while True:
            matrix = np.zeros((MAX_VERTICES, MAX_VERTICES), dtype=int)
            above = np.triu_indices(MAX_VERTICES, k=1)
            matrix[above] = random.integers(2, size=len(above[0]))
            interior = random.integers(len(OPERATIONS), size=MAX_VERTICES - 2)
            operations = ("input", *(OPERATIONS[i] for i in interior), "output")
            spec = prune(Spec(tuple(map(tuple, matrix.tolist())), operations))
            if not flaw(spec):
                return to_key(spec)

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

    def isomorphism_class(self, key: str) -> str:
        """Returns the benchmark's hash, the key of its table: 423,624 classes."""
        return isomorphism_hash(parse(key))


spaces.add(NasBench101.name, NasBench101())

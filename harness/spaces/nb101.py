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

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from harness.spaces.base import Regulariser, spaces
from harness.spaces.drawn import DrawnSpace
from harness.spaces.nb101_cells import (
    MAX_VERTICES,
    OPERATIONS,
    Spec,
    flaw,
    from_naslib,
    from_spec,
    isomorphism_hash,
    parse,
    prune,
    to_key,
)
from harness.tasks import Task

__all__ = ["NasBench101", "Network", "Spec", "from_naslib", "from_spec", "parse", "vertex_widths"]

WIDTHS = (128, 256, 512)
CELLS_PER_STACK = 3
# As in the PyTorch port that the published scores come from. TensorFlow counts momentum the other
# way round, so that training as in the benchmark would need 0.003. Only zen can tell the
# difference at initialisation, and it wants the batch's own variance, which is what 0.997 leaves.
BATCH_NORM_MOMENTUM = 0.997


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


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; keeps the resolution."""

    def __init__(self, c_in: int, c_out: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(c_out, momentum=BATCH_NORM_MOMENTUM),
            nn.ReLU(),
        )


class Cell(nn.Module):
    """One cell: a vertex sums what feeds it, the output concatenates instead.

    What comes from the cell's input is projected to the width of its target; between other
    vertices, superfluous channels are cut off.
    """

    def __init__(self, spec: Spec, c_in: int, c_out: int) -> None:
        super().__init__()
        self.spec = spec
        self.widths = vertex_widths(spec, c_in, c_out)
        self.projections = nn.ModuleDict(
            {str(v): ConvBnRelu(c_in, self.widths[v], 1) for v in spec.targets(0)}
        )
        self.operations = nn.ModuleList(
            _operation(name, width)
            for name, width in zip(spec.operations[1:-1], self.widths[1:-1], strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×H×W."""
        vertices = [x]
        for vertex, operation in enumerate(self.operations, start=1):
            width = self.widths[vertex]
            terms = [
                vertices[source][:, :width] if source > 0 else self.projections[str(vertex)](x)
                for source in self.spec.sources(vertex)
            ]
            vertices.append(operation(sum(terms[1:], start=terms[0])))
        last = len(vertices)
        joined = [vertices[source] for source in self.spec.sources(last) if source > 0]
        terms = [torch.cat(joined, dim=1)] if joined else []
        if str(last) in self.projections:
            terms.append(self.projections[str(last)](x))
        return sum(terms[1:], start=terms[0])


def _operation(name: str, width: int) -> nn.Module:
    if name == "maxpool3x3":
        return nn.MaxPool2d(3, stride=1, padding=1)
    return ConvBnRelu(width, width, kernel=3 if name == "conv3x3-bn-relu" else 1)


def _cell_widths() -> Iterator[tuple[int, int]]:
    """Yields the (input, output) channels of the nine cells: the first of a stack widens."""
    c_in = WIDTHS[0]
    for width in WIDTHS:
        for _ in range(CELLS_PER_STACK):
            yield c_in, width
            c_in = width


class Network(nn.Module):
    """The benchmark's network: stem, three stacks of three cells, pooling between, classifier."""

    def __init__(self, spec: Spec, classes: int) -> None:
        super().__init__()
        self.stem = ConvBnRelu(3, WIDTHS[0], 3)
        self.cells = nn.Sequential()
        for c_in, c_out in _cell_widths():
            if c_in != c_out:
                self.cells.append(nn.MaxPool2d(2, stride=2))
            self.cells.append(Cell(spec, c_in, c_out))
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(WIDTHS[-1], classes)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×classes logits."""
        return self.classifier(self.pool(self.cells(self.stem(x))))  # type: ignore[no-any-return]


def _initialise(module: nn.Module) -> None:
    """Draws weights as the PyTorch port does; batch norm starts at 1 and 0 by itself."""
    if isinstance(module, nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)


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
    """The whole benchmark; see the module's docstring."""

    name = "nb101"
    tasks = ("cifar10", "digits")
    # Best row of the SWAP paper's table 4.
    regulariser = Regulariser(mu=40.0, sigma=40.0, unit=1e6)

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
        return Network(parse(key), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters; the input feeding the output alone leaves 882,570 of them."""
        spec, outputs = parse(key), self.task(task).outputs
        stem, classifier = 29 * WIDTHS[0], (WIDTHS[-1] + 1) * outputs
        return stem + classifier + sum(_count_cell(spec, *widths) for widths in _cell_widths())

    def isomorphism_class(self, key: str) -> str:
        """Returns the benchmark's hash, the key of its table: 423,624 classes."""
        return isomorphism_hash(parse(key))


spaces.add(NasBench101.name, NasBench101())

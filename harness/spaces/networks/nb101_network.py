"""The network of NAS-Bench-101: three stacks of three cells.

Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019, section 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from harness.spaces.nb101 import WIDTHS, cell_widths, vertex_widths
from harness.spaces.nb101_cells import Spec

# As in the PyTorch port that the published scores come from. TensorFlow counts momentum the other
# way round, so that training as in the benchmark would need 0.003. Only zen can tell the
# difference at initialisation, and it wants the batch's own variance, which is what 0.997 leaves.
BATCH_NORM_MOMENTUM = 0.997


class ConvBnRelu(nn.Sequential):
    """Convolution without bias, batch norm, ReLU; keeps the resolution."""

    def __init__(self, c_in: int, c_out: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(c_out, momentum=BATCH_NORM_MOMENTUM),
            nn.ReLU(),
        )


class Nb101Cell(nn.Module):
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
                _cut(vertices[source], width) if source > 0 else self.projections[str(vertex)](x)
                for source in self.spec.sources(vertex)
            ]
            vertices.append(operation(sum(terms[1:], start=terms[0])))
        last = len(vertices)
        joined = [vertices[source] for source in self.spec.sources(last) if source > 0]
        terms = [torch.cat(joined, dim=1)] if joined else []
        if str(last) in self.projections:
            terms.append(self.projections[str(last)](x))
        return sum(terms[1:], start=terms[0])


def _cut(x: Tensor, width: int) -> Tensor:
    # A slice of everything would cost its backward two passes over memory.
    return x if x.shape[1] == width else x[:, :width]


def _operation(name: str, width: int) -> nn.Module:
    if name == "maxpool3x3":
        return nn.MaxPool2d(3, stride=1, padding=1)
    return ConvBnRelu(width, width, kernel=3 if name == "conv3x3-bn-relu" else 1)


class Nb101Network(nn.Module):
    """The benchmark's network: stem, three stacks of three cells, pooling between, classifier."""

    def __init__(self, spec: Spec, classes: int) -> None:
        super().__init__()
        self.stem = ConvBnRelu(3, WIDTHS[0], 3)
        self.cells = nn.Sequential()
        for c_in, c_out in cell_widths():
            if c_in != c_out:
                self.cells.append(nn.MaxPool2d(2, stride=2))
            self.cells.append(Nb101Cell(spec, c_in, c_out))
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

"""The network of NAS-Bench-201: three stages of five cells.

Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search",
ICLR 2020, section 2.1.
"""

from __future__ import annotations

from torch import Tensor, nn

from harness.core.layouts import zeros_beside
from harness.spaces.nb201 import CELLS_PER_STAGE, EDGES, WIDTHS, Operations
from harness.spaces.networks.residual_reduction import ResidualReduction, relu_conv_bn


class Nb201Cell(nn.Module):
    """One cell: every node is the sum of its incoming edges, the last node is the output.

    ``none`` edges contribute nothing. All other edges run, even where their target leads nowhere:
    the benchmark's network runs them too, and they count in flops and activation patterns.

    Args:
        operations: Of its edges.
        channels: Of its nodes.
        c_in: Of its input, if others; no edge from there may be a pooling then.
    """

    def __init__(self, operations: Operations, channels: int, c_in: int | None = None) -> None:
        super().__init__()
        self.edges = nn.ModuleDict()
        self.channels = channels
        for (source, target), operation in zip(EDGES, operations, strict=True):
            if operation != "none":
                before = c_in if c_in and source == 0 else channels
                self.edges[f"{source}->{target}"] = _operation(operation, before, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×C×H×W to N×channels×H×W."""
        shape = (len(x), self.channels, *x.shape[2:])
        nodes = [x]
        for target in (1, 2, 3):
            terms = [
                self.edges[edge](nodes[source])
                for source in range(target)
                if (edge := f"{source}->{target}") in self.edges
            ]
            nodes.append(sum(terms[1:], start=terms[0]) if terms else zeros_beside(x, shape))
        return nodes[3]


def _operation(name: str, c_in: int, c_out: int) -> nn.Module:
    if name == "skip_connect" and c_in != c_out:
        return nn.Sequential(nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out))
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return relu_conv_bn(c_in, c_out, kernel=3 if name == "nor_conv_3x3" else 1)


class Nb201Network(nn.Module):
    """The benchmark's network: stem, three stages of five cells, two reductions, classifier."""

    def __init__(self, operations: Operations, classes: int) -> None:
        super().__init__()
        first, *_, last = WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1, bias=False), nn.BatchNorm2d(first)
        )
        self.cells = nn.Sequential()
        for stage, width in enumerate(WIDTHS):
            if stage > 0:
                self.cells.append(ResidualReduction(WIDTHS[stage - 1], width))
            for _ in range(CELLS_PER_STAGE):
                self.cells.append(Nb201Cell(operations, width))
        self.head = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(last, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×classes logits."""
        return self.classifier(self.pool(self.head(self.cells(self.stem(x)))))  # type: ignore[no-any-return]

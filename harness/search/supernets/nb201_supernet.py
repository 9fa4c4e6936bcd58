"""The supernet of NAS-Bench-201: five operations on each of six edges, in all fifteen cells.

Dong & Yang, "NAS-Bench-201", ICLR 2020; 16 channels and 5 cells per stage, as the benchmark's
networks. Batch norm in the candidate operations has no weights.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from harness.search.supernets.supernet import (
    Carry,
    MixingWeights,
    Runner,
    Stage,
    Supernet,
    relu_conv_bn,
)
from harness.spaces.nb201 import CELLS_PER_STAGE, EDGES, OPERATIONS, WIDTHS
from harness.spaces.networks.darts_operations import Zero
from harness.spaces.networks.residual_reduction import ResidualReduction

KIND = "cell"


class Nb201Supernet(Supernet):
    """The network of NAS-Bench-201 with all operations on every edge.

    Args:
        classes: Number of outputs.
        widths: Channels of the stages.
        cells: Cells per stage.
    """

    executes_zeros = True

    def __init__(
        self, classes: int, widths: Sequence[int] = WIDTHS, cells: int = CELLS_PER_STAGE
    ) -> None:
        super().__init__({KIND: (OPERATIONS,) * len(EDGES)})
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, padding=1, bias=False), nn.BatchNorm2d(widths[0])
        )
        self.stages = nn.ModuleList()
        for stage, width in enumerate(widths):
            if stage > 0:
                self.stages.append(Reduction(widths[stage - 1], width))
            self.stages.extend(Nb201SupernetCell(width) for _ in range(cells))
        self.head = nn.Sequential(nn.BatchNorm2d(widths[-1]), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(widths[-1], classes)

    def start(self, x: Tensor, runner: Runner) -> Carry:
        """Runs the stem."""
        return (runner.run(self.stem, x),)

    def finish(self, carry: Carry, runner: Runner) -> Tensor:
        """Runs the last activation, pooling and the classifier."""
        features = runner.run(self.head, carry[0])
        return self.classifier(self.pool(features))  # type: ignore[no-any-return]


class Nb201SupernetCell(Stage):
    """Four nodes; every node is the sum of its incoming edges, the last one is the output."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kind = KIND
        self.edges = nn.ModuleList(
            nn.ModuleList(_operation(name, channels) for name in OPERATIONS) for _ in EDGES
        )

    def forward(self, carry: Carry, weights: MixingWeights | None, runner: Runner) -> Carry:
        """Maps N×C×H×W to the same shape."""
        assert weights is not None
        nodes = list(carry)
        for node in (1, 2, 3):
            terms = [
                term
                for index, (source, target) in enumerate(EDGES)
                if target == node
                for term in self.terms(weights, index, nodes[source])
            ]
            nodes.append(runner.mix(terms, carry[0].shape))
        return (nodes[3],)


class Reduction(Stage):
    """The residual block between two stages, which no decision concerns."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.kind = ""
        self.edges = nn.ModuleList()
        self.block = ResidualReduction(c_in, c_out)

    def forward(self, carry: Carry, weights: MixingWeights | None, runner: Runner) -> Carry:
        """Maps N×c_in×H×W to N×c_out×H/2×W/2."""
        return (runner.run(self.block, carry[0]),)


def _operation(name: str, channels: int) -> nn.Module:
    if name == "none":
        return Zero(stride=1)
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return relu_conv_bn(channels, channels, kernel=3 if name == "nor_conv_3x3" else 1)

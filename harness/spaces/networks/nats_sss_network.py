"""The network of NATS-Bench's size space: three cells of NAS-Bench-201 and two reductions.

Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI
2021, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from harness.spaces.nats_sss import OPERATIONS
from harness.spaces.networks.nb201_network import Nb201Cell
from harness.spaces.networks.residual_reduction import ResidualReduction


class NatsBenchSizeNetwork(nn.Module):
    """Stem, cell, reduction, cell, reduction, cell, classifier, each layer of its own width."""

    def __init__(self, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        first, last = widths[0], widths[-1]
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1, bias=False), nn.BatchNorm2d(first)
        )
        self.cells = nn.Sequential()
        for place, (c_in, c_out) in enumerate(pairwise((first, *widths))):
            reduces = place % 2 == 1
            self.cells.append(
                ResidualReduction(c_in, c_out) if reduces else Nb201Cell(OPERATIONS, c_out, c_in)
            )
        self.head = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU())
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(last, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×classes logits."""
        return self.classifier(self.pool(self.head(self.cells(self.stem(x)))))  # type: ignore[no-any-return]

"""The supernets of the DARTS space and of RobustDARTS's subspaces S1 to S4.

Liu, Simonyan & Yang, "DARTS", ICLR 2019: 8 cells of 14 edges, 16 channels, reductions at a third
and two thirds. No batch norm in the cells has weights, and one follows each pooling.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.search.supernets.supernet import (
    Carry,
    MixingWeights,
    PlacedNoise,
    Runner,
    Stage,
    Supernet,
    relu_conv_bn,
)
from harness.spaces.darts import NODES
from harness.spaces.darts_candidates import CANDIDATES, EDGES, Candidates
from harness.spaces.darts_skeleton import Placement, Skeleton
from harness.spaces.networks.darts_operations import FactorizedReduce, operation


class DartsSupernet(Supernet):
    """The network of the DARTS search with all candidate operations on every edge.

    Args:
        space: A key of ``CANDIDATES``.
        classes: Number of outputs.
        channels: Channels of the first cells.
        layers: Number of cells.
    """

    # Node 2 has two edges anyway.
    pruned_nodes = tuple(
        tuple(edge for edge, (_, target) in enumerate(EDGES) if target == node)
        for node in range(3, 2 + NODES)
    )
    executes_zeros = False

    def __init__(self, space: str, classes: int, channels: int = 16, layers: int = 8) -> None:
        super().__init__(CANDIDATES[space])
        wide = 3 * channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)
        )
        places = list(Skeleton(channels, layers, affine=False).placements())
        self.stages = nn.ModuleList(
            DartsSupernetCell(CANDIDATES[space], place, index) for index, place in enumerate(places)
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(NODES * places[-1].channels, classes)

    def start(self, x: Tensor, runner: Runner) -> Carry:
        """Runs the stem, whose output is both inputs of the first cell."""
        features = runner.run(self.stem, x)
        return features, features

    def finish(self, carry: Carry, runner: Runner) -> Tensor:
        """Runs pooling and the classifier on the last cell's output."""
        return self.classifier(self.pool(carry[-1]))  # type: ignore[no-any-return]


class DartsSupernetCell(Stage):
    """Two preprocessed inputs, four nodes that sum all edges from what is before them."""

    def __init__(self, candidates: Candidates, place: Placement, index: int) -> None:
        super().__init__()
        self.kind = "reduce" if place.reduction else "normal"
        self.stride = 2 if place.reduction else 1
        self.preprocess_before = (
            FactorizedReduce(place.c_before, place.channels, affine=False)
            if place.after_reduction
            else relu_conv_bn(place.c_before, place.channels, kernel=1)
        )
        self.preprocess = relu_conv_bn(place.c_in, place.channels, kernel=1)
        self.edges = nn.ModuleList(
            nn.ModuleList(
                _operation(name, place.channels, self.stride if source < 2 else 1, (index, edge))
                for name in candidates[self.kind][edge]
            )
            for edge, (source, _) in enumerate(EDGES)
        )

    def forward(self, carry: Carry, weights: MixingWeights | None, runner: Runner) -> Carry:
        """Maps the outputs of the two previous cells to those of the previous and this one."""
        assert weights is not None
        before, x = carry
        nodes = [runner.run(self.preprocess_before, before), runner.run(self.preprocess, x)]
        n, channels, height, width = nodes[1].shape
        shape = (n, channels, -(-height // self.stride), -(-width // self.stride))
        for node in range(2, 2 + NODES):
            terms = [
                term
                for edge, (source, target) in enumerate(EDGES)
                if target == node
                for term in self.terms(weights, edge, nodes[source])
            ]
            nodes.append(runner.mix(terms, shape))
        return x, torch.cat(nodes[2:], dim=1)


def _operation(name: str, channels: int, stride: int, place: tuple[object, ...]) -> nn.Module:
    if name == "noise":
        return PlacedNoise(stride, place)
    return operation(name, channels, stride, affine=False)

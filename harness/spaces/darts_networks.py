"""Networks of DARTS cells, which NAS-Bench-301 and SWAP's one-cell networks share.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3: the
evaluation networks for CIFAR and ImageNet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from harness.errors import HarnessError
from harness.spaces.darts import (
    NODES,
    Edges,
    FactorizedReduce,
    Genotype,
    count_operation,
    operation,
)
from harness.spaces.layers import relu_conv_bn


class Placement(NamedTuple):
    """Where a cell stands in its network.

    Attributes:
        c_before: Channels of the output of the cell before the previous one.
        c_in: Channels of the output of the previous cell.
        channels: Channels of this cell's nodes; its output has four times as many.
        reduction: Whether this cell halves the resolution.
        after_reduction: Whether the previous one did.
    """

    c_before: int
    c_in: int
    channels: int
    reduction: bool
    after_reduction: bool


@dataclass(frozen=True)
class Skeleton:
    """What is around the cells.

    Attributes:
        channels: Channels of the nodes of the first cells, doubled by every reduction.
        layers: Number of cells; those at a third and two thirds are reduction cells.
        stem: ``cifar``: one convolution to 3·channels. ``imagenet``: three convolutions that
            lower the resolution eightfold. ``none``: the first cell sees the image itself.
        auxiliary: Whether to build the auxiliary head on the second reduction cell, which needs
            8×8 features there. It only runs in ``Network.forward_with_auxiliary``.
        affine: Whether the operations' batch norms have weights; see ``darts.operation``.
        image_channels: Channels of the images of a network without a stem; stems take three.
    """

    channels: int
    layers: int
    stem: Literal["cifar", "imagenet", "none"] = "cifar"
    auxiliary: bool = False
    affine: bool = True
    image_channels: int = 3

    def __post_init__(self) -> None:
        if self.auxiliary and self.stem != "cifar":
            raise HarnessError("Only the CIFAR network of DARTS has an auxiliary head here.")

    def placements(self) -> Iterator[Placement]:
        """Yields the place of every cell, from first to last."""
        channels = self.channels
        c_in = {"cifar": 3 * channels, "imagenet": channels, "none": self.image_channels}[self.stem]
        c_before, after_reduction = c_in, self.stem == "imagenet"
        for index in range(self.layers):
            reduction = index in {self.layers // 3, 2 * self.layers // 3}
            channels *= 2 if reduction else 1
            yield Placement(c_before, c_in, channels, reduction, after_reduction)
            c_before, c_in, after_reduction = c_in, NODES * channels, reduction


class Cell(nn.Module):
    """One cell with its two preprocessing layers."""

    def __init__(self, edges: Edges, place: Placement, *, affine: bool) -> None:
        super().__init__()
        self.sources = [source for _, source in edges]
        self.preprocess_before = (
            FactorizedReduce(place.c_before, place.channels)
            if place.after_reduction
            else relu_conv_bn(place.c_before, place.channels, 1)
        )
        self.preprocess = relu_conv_bn(place.c_in, place.channels, 1)
        self.operations = nn.ModuleList(
            operation(name, place.channels, _stride(source, place), affine=affine)
            for name, source in edges
        )

    def forward(self, before: Tensor, x: Tensor) -> Tensor:
        """Maps the outputs of the two previous cells to N×(4·channels)×H×W."""
        nodes = [self.preprocess_before(before), self.preprocess(x)]
        for first in range(0, 2 * NODES, 2):
            a, b = (self.operations[i](nodes[self.sources[i]]) for i in (first, first + 1))
            nodes.append(a + b)
        return torch.cat(nodes[2:], dim=1)


def _stride(source: int, place: Placement) -> int:
    return 2 if place.reduction and source < 2 else 1


class Network(nn.Module):
    """The network of a genotype: stem, cells, classifier."""

    def __init__(self, genotype: Genotype, skeleton: Skeleton, classes: int) -> None:
        super().__init__()
        # The first cell's two inputs are the outputs of the first and of both stem layers.
        self.stem, self.stem_again = _stem(skeleton)
        places = list(skeleton.placements())
        self.cells = nn.ModuleList(
            Cell(
                genotype.reduce if place.reduction else genotype.normal,
                place,
                affine=skeleton.affine,
            )
            for place in places
        )
        self.tapped = 2 * skeleton.layers // 3
        if skeleton.auxiliary:
            self.auxiliary = _auxiliary(NODES * places[self.tapped].channels, classes)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(NODES * places[-1].channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×classes logits."""
        return self._logits(self._outputs(x)[-1])

    def forward_with_auxiliary(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps N×3×32×32 images to the logits and the auxiliary head's, both N×classes.

        Drop-path, which DARTS adds in training, is the training recipe's business.
        """
        outputs = self._outputs(x)
        return self._logits(outputs[-1]), self.auxiliary(outputs[self.tapped])

    def _outputs(self, x: Tensor) -> list[Tensor]:
        before = self.stem(x)
        x = self.stem_again(before)
        outputs = []
        for cell in self.cells:
            before, x = x, cell(before, x)
            outputs.append(x)
        return outputs

    def _logits(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(x))  # type: ignore[no-any-return]


def _stem(skeleton: Skeleton) -> tuple[nn.Module, nn.Module]:
    channels = skeleton.channels
    if skeleton.stem == "none":
        return nn.Identity(), nn.Identity()
    if skeleton.stem == "cifar":
        wide = 3 * channels
        convolution = nn.Conv2d(3, wide, 3, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(wide)), nn.Identity()
    first = nn.Sequential(
        nn.Conv2d(3, channels // 2, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels // 2),
        *relu_conv_bn(channels // 2, channels, 3, stride=2),
    )
    return first, relu_conv_bn(channels, channels, 3, stride=2)


def _auxiliary(c_in: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(5, stride=3, count_include_pad=False),
        nn.Conv2d(c_in, 128, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Conv2d(128, 768, 2, bias=False),
        nn.BatchNorm2d(768),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(768, classes),
    )


def count_params(genotype: Genotype, skeleton: Skeleton, classes: int) -> int:
    """Returns the number of parameters of ``Network(genotype, skeleton, classes)``."""
    places = list(skeleton.placements())
    total = _count_stem(skeleton) + (NODES * places[-1].channels + 1) * classes
    for place in places:
        total += (place.c_before + place.c_in + 4) * place.channels
        total += sum(
            count_operation(name, place.channels, _stride(source, place), affine=skeleton.affine)
            for name, source in (genotype.reduce if place.reduction else genotype.normal)
        )
    if skeleton.auxiliary:
        c_in = NODES * places[2 * skeleton.layers // 3].channels
        total += (c_in + 2) * 128 + (4 * 128 + 2) * 768 + (768 + 1) * classes
    return total


def _count_stem(skeleton: Skeleton) -> int:
    c = skeleton.channels
    return {
        "none": 0,
        "cifar": (27 + 2) * 3 * c,
        "imagenet": (27 + 2) * (c // 2) + (9 * (c // 2) + 2) * c + (9 * c + 2) * c,
    }[skeleton.stem]

"""What surrounds DARTS cells in a network, and how many parameters that makes.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3: the
evaluation networks for CIFAR and ImageNet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from harness.core.errors import HarnessError
from harness.spaces.darts import NODES, Genotype, count_operation


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
            8×8 features there, or 7×7 behind the stem for ImageNet. It only runs in
            ``DartsNetwork.forward_with_auxiliary``.
        affine: Whether the operations' batch norms have weights; see ``darts_operations``.
        image_channels: Channels of the images of a network without a stem; stems take three.
    """

    channels: int
    layers: int
    stem: Literal["cifar", "imagenet", "none"] = "cifar"
    auxiliary: bool = False
    affine: bool = True
    image_channels: int = 3

    def __post_init__(self) -> None:
        if self.auxiliary and self.stem == "none":
            raise HarnessError("A DARTS network without a stem has no auxiliary head.")

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


def stride_of(source: int, place: Placement) -> int:
    """Returns the stride of an edge that comes from ``source``."""
    return 2 if place.reduction and source < 2 else 1


def count_params(genotype: Genotype, skeleton: Skeleton, classes: int) -> int:
    """Returns the number of parameters of ``DartsNetwork(genotype, skeleton, classes)``."""
    places = list(skeleton.placements())
    total = _count_stem(skeleton) + (NODES * places[-1].channels + 1) * classes
    for place in places:
        total += (place.c_before + place.c_in + 4) * place.channels
        total += sum(
            count_operation(name, place.channels, stride_of(source, place), affine=skeleton.affine)
            for name, source in (genotype.reduce if place.reduction else genotype.normal)
        )
    if skeleton.auxiliary:
        c_in = NODES * places[2 * skeleton.layers // 3].channels
        norm = 2 if skeleton.stem == "cifar" else 0
        total += (c_in + 2) * 128 + (4 * 128 + norm) * 768 + (768 + 1) * classes
    return total


def _count_stem(skeleton: Skeleton) -> int:
    c = skeleton.channels
    return {
        "none": 0,
        "cifar": (27 + 2) * 3 * c,
        "imagenet": (27 + 2) * (c // 2) + (9 * (c // 2) + 2) * c + (9 * c + 2) * c,
    }[skeleton.stem]

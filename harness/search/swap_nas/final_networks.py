"""Sizes of the DARTS networks that are trained in the end, for CIFAR-10 and for ImageNet."""

from __future__ import annotations

from dataclasses import dataclass

from harness.spaces import nb301
from harness.spaces.darts import NODES, Genotype, count_operation
from harness.spaces.darts_skeleton import Placement, Skeleton, count_params, stride_of
from harness.spaces.darts_space import CIFAR, IMAGENET, IMAGENET_SIDE


@dataclass(frozen=True)
class Size:
    """Parameters, and multiply-accumulates of convolutions and linear layers for one image."""

    params: int
    macs: int


def cifar10_size(key: str) -> Size:
    """Returns the size of the network of 20 cells and 36 channels, for 32×32 images."""
    return network_size(nb301.parse(key), CIFAR, side=32, classes=10)


def imagenet_size(key: str) -> Size:
    """Returns the size of the network of 14 cells and 48 channels, for 224×224 images."""
    return network_size(nb301.parse(key), IMAGENET, side=IMAGENET_SIDE, classes=1000)


def network_size(genotype: Genotype, skeleton: Skeleton, side: int, classes: int) -> Size:
    """Returns the size of ``DartsNetwork(genotype, skeleton, classes)`` on side×side images.

    Every convolution of an operation has the operation's own output size, so that its
    multiply-accumulates are its weights times that many pixels.

    Args:
        genotype: The cells.
        skeleton: What is around them, without an auxiliary head.
        side: Side of the images, a multiple of 32 for ImageNet's stem and of 4 for the others.
        classes: Number of classes.
    """
    macs, side = _stem_macs(skeleton, side)
    for place in skeleton.placements():
        macs += (place.c_before + place.c_in) * place.channels * side**2
        side //= 2 if place.reduction else 1
        macs += _operation_weights(genotype, place) * side**2
    macs += NODES * place.channels * classes
    return Size(count_params(genotype, skeleton, classes), macs)


def _operation_weights(genotype: Genotype, place: Placement) -> int:
    edges = genotype.reduce if place.reduction else genotype.normal
    return sum(
        count_operation(name, place.channels, stride_of(source, place), affine=False)
        for name, source in edges
    )


def _stem_macs(skeleton: Skeleton, side: int) -> tuple[int, int]:
    """Returns the multiply-accumulates of the stem and the side of what leaves it."""
    c = skeleton.channels
    match skeleton.stem:
        case "none":
            return 0, side
        case "cifar":
            return 27 * 3 * c * side**2, side
    convolutions = (27 * (c // 2), 9 * (c // 2) * c, 9 * c * c)  # each halves the side
    return sum(w * (side // 2**i) ** 2 for i, w in enumerate(convolutions, start=1)), side // 8

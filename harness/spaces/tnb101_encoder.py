"""Encoders of TransNAS-Bench-101: a stem, then modules of two blocks each.

Duan et al., "TransNAS-Bench-101: Improving Transferability and Generalizability of Cross-Task
Neural Architecture Search", CVPR 2021. A module is one digit: 1 plain, 2 doubles the width,
3 halves the resolution, 4 does both; only its first block changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.spaces.layers import relu_conv_bn

BASE_WIDTH = 64
BLOCKS_PER_MODULE = 2
# (source, target) in the order of the architecture string.
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NONE, SKIP, CONV_1X1, CONV_3X3 = "0123"


class Shape(NamedTuple):
    """What a block does to its input: widths before and after, and the stride."""

    c_in: int
    c_out: int
    stride: int

    @property
    def is_plain(self) -> bool:
        """Whether input and output have the same shape."""
        return self.stride == 1 and self.c_in == self.c_out


Block = Callable[[Shape], nn.Module]


def block_shapes(modules: str) -> Iterator[Shape]:
    """Yields the shapes of all blocks of an encoder with these module digits."""
    width = BASE_WIDTH
    for module in modules:
        c_in = width
        width = 2 * width if module in "24" else width
        yield Shape(c_in, width, stride=2 if module in "34" else 1)
        for _ in range(BLOCKS_PER_MODULE - 1):
            yield Shape(width, width, stride=1)


def output_width(modules: str) -> int:
    """Returns the number of channels that an encoder with these module digits puts out."""
    return BASE_WIDTH << sum(module in "24" for module in modules)


def halvings(modules: str) -> int:
    """Returns how often such an encoder halves the resolution, twice of which in the stem."""
    return 2 + sum(module in "34" for module in modules)


class Encoder(nn.Module):
    """Stem and blocks; convolutions are initialised by Kaiming's normal rule over the fan-out."""

    def __init__(self, modules: str, block: Block) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, BASE_WIDTH // 2, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(BASE_WIDTH // 2),
            relu_conv_bn(BASE_WIDTH // 2, BASE_WIDTH, 3, stride=2),
        )
        self.blocks = nn.Sequential(*(block(shape) for shape in block_shapes(modules)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W to N×C×H/s×W/s, with C the output width and s two to the halvings."""
        return self.blocks(self.stem(x))  # type: ignore[no-any-return]


class FactorizedReduce(nn.Module):
    """A skip that changes the shape: two 1×1 convolutions, the second one pixel further along."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_even = nn.Conv2d(c_in, c_out // 2, 1, stride=stride, bias=False)
        self.conv_odd = nn.Conv2d(c_in, c_out - c_out // 2, 1, stride=stride, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×H/stride×W/stride."""
        x = self.relu(x)
        # A zero row and column on the far side keep both halves equal in size for odd H and W.
        shifted = functional.pad(x, (-1, 1, -1, 1))
        return self.norm(torch.cat([self.conv_even(x), self.conv_odd(shifted)], dim=1))  # type: ignore[no-any-return]


class Cell(nn.Module):
    """A micro cell: every node is the sum of its incoming edges, the last node is the output.

    Edges from the cell's input change width and resolution, all others keep them. ``none`` edges
    contribute nothing; all other edges run, even where their target leads nowhere, as in the
    benchmark.
    """

    def __init__(self, operations: str, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.edges = nn.ModuleDict()
        for (source, target), operation in zip(EDGES, operations, strict=True):
            if operation != NONE:
                self.edges[f"{source}->{target}"] = _operation(operation, _edge(source, shape))

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×H/stride×W/stride."""
        nodes = [x]
        for target in (1, 2, 3):
            terms = [
                self.edges[edge](nodes[source])
                for source in range(target)
                if (edge := f"{source}->{target}") in self.edges
            ]
            nodes.append(sum(terms[1:], start=terms[0]) if terms else self._zeros(x))
        return nodes[3]

    def _zeros(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        stride = self.shape.stride
        return x.new_zeros(n, self.shape.c_out, -(-height // stride), -(-width // stride))


def _edge(source: int, cell: Shape) -> Shape:
    return cell if source == 0 else Shape(cell.c_out, cell.c_out, stride=1)


def _operation(name: str, shape: Shape) -> nn.Module:
    if name == SKIP:
        return nn.Identity() if shape.is_plain else FactorizedReduce(*shape)
    return relu_conv_bn(shape.c_in, shape.c_out, 3 if name == CONV_3X3 else 1, shape.stride)


class BasicBlock(nn.Module):
    """The macro space's residual block: two 3×3 convolutions and a shortcut.

    The benchmark hands the shortcut's batch norm its flags where eps and momentum belong, so that
    both are 1: the variance is damped, and the running statistics are the last batch's. Its
    accuracies were reached that way, so this is part of the network.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        c_in, c_out, stride = shape
        self.conv_a = relu_conv_bn(c_in, c_out, 3, stride)
        self.conv_b = relu_conv_bn(c_out, c_out, 3)
        self.shortcut: nn.Module = nn.Identity()
        if not shape.is_plain:
            self.shortcut = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False),
                nn.BatchNorm2d(c_out, eps=1.0, momentum=1.0),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×H/stride×W/stride."""
        return self.shortcut(x) + self.conv_b(self.conv_a(x))  # type: ignore[no-any-return]


def count_encoder(modules: str, count_block: Callable[[Shape], int]) -> int:
    """Returns the number of parameters of an encoder, given those of a block."""
    stem = _conv_bn(3, BASE_WIDTH // 2, 3) + _conv_bn(BASE_WIDTH // 2, BASE_WIDTH, 3)
    return stem + sum(count_block(shape) for shape in block_shapes(modules))


def count_cell(operations: str, shape: Shape) -> int:
    """Returns the number of parameters of a micro cell."""
    return sum(
        _count_operation(operation, _edge(source, shape))
        for (source, _), operation in zip(EDGES, operations, strict=True)
    )


def count_basic_block(shape: Shape) -> int:
    """Returns the number of parameters of a macro block."""
    c_in, c_out, _ = shape
    shortcut = 0 if shape.is_plain else _conv_bn(c_in, c_out, 1)
    return _conv_bn(c_in, c_out, 3) + _conv_bn(c_out, c_out, 3) + shortcut


def _count_operation(name: str, shape: Shape) -> int:
    if name == NONE or (name == SKIP and shape.is_plain):
        return 0
    return _conv_bn(shape.c_in, shape.c_out, 3 if name == CONV_3X3 else 1)


def _conv_bn(c_in: int, c_out: int, kernel: int) -> int:
    return kernel**2 * c_in * c_out + 2 * c_out

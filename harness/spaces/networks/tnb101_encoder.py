"""Encoders of TransNAS-Bench-101: a stem, then modules of two blocks each.

Duan et al., CVPR 2021, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.core.layouts import zeros_beside
from harness.spaces.networks.residual_reduction import relu_conv_bn
from harness.spaces.tnb101_sizes import (
    BASE_WIDTH,
    CONV_3X3,
    EDGES,
    NONE,
    SKIP,
    Shape,
    block_shapes,
    edge_shape,
)

Block = Callable[[Shape], nn.Module]
"""Builds one block."""


class TransNasEncoder(nn.Module):
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


class TransNasReduction(nn.Module):
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


class TransNasCell(nn.Module):
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
                self.edges[f"{source}->{target}"] = _operation(operation, edge_shape(source, shape))

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
        return zeros_beside(x, (n, self.shape.c_out, -(-height // stride), -(-width // stride)))


def _operation(name: str, shape: Shape) -> nn.Module:
    if name == SKIP:
        return nn.Identity() if shape.is_plain else TransNasReduction(*shape)
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

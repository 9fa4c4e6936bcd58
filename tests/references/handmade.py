"""Layers and losses whose proxies can be worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def summed(outputs: Tensor, labels: Tensor) -> Tensor:
    """A loss whose gradient with respect to every output is one."""
    return outputs.sum()


def linear(weight: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    layer.weight.data = torch.tensor(weight)
    return layer


def conv1x1(weight: list[list[float]]) -> nn.Conv2d:
    layer = nn.Conv2d(len(weight[0]), len(weight), 1, bias=False)
    layer.weight.data = torch.tensor(weight)[:, :, None, None]
    return layer


class HalfSquare(nn.Module):
    """Outputs x²/2, so that the derivative by the input is the input."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        halves = (x**2).flatten(1).sum(1, keepdim=True) / 2
        return torch.cat([halves, halves.new_zeros(len(x), self.classes - 1)], dim=1)


class Sines(nn.Module):
    """Any smooth network with curvature, to differentiate numerically."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.out = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.sin(self.bn(self.conv(x))).square().mean((2, 3)))


class Headed(nn.Module):
    """A ReLU with 1000 parameters beside it, and an auxiliary head that must not count."""

    def __init__(self) -> None:
        super().__init__()
        self.relu, self.head, self.auxiliary = nn.ReLU(), nn.Linear(49, 20), nn.Linear(7, 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x)

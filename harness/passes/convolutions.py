"""torch's own 2-D convolution and its gradients, one at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

aten: Any = torch.ops.aten


class Geometry(NamedTuple):
    """How a convolution slides; rows before columns."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def convolve(x: Tensor, weight: Tensor, geometry: Geometry, bias: Tensor | None = None) -> Tensor:
    """Returns the convolution of x (N×C×H×W)."""
    stride, padding, dilation, groups = geometry
    y: Tensor = aten.convolution(x, weight, bias, stride, padding, dilation, False, [0, 0], groups)
    return y


def gradient_of_input(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Returns the gradient of x, given that of the output."""
    return _gradients(g, x, weight, geometry, [True, False, False])[0]


def gradient_of_weight(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Returns the gradient of the weight, given that of the output."""
    return _gradients(g, x, weight, geometry, [False, True, False])[1]


def _gradients(
    g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, mask: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    stride, padding, dilation, groups = geometry
    gradients: tuple[Tensor, Tensor, Tensor] = aten.convolution_backward(
        g, x, weight, None, stride, padding, dilation, False, [0, 0], groups, mask
    )
    return gradients

"""Layers that are linear where they are, differentiated twice without a detour.

torch's second derivatives of poolings and concatenations hand out contiguous tensors, whatever the
layout of the images, which makes all behind them slow on a CPU, and those of poolings and ReLUs add
zeros. The map, its transpose and the map again are all that there is to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

from harness.passes.weighted_layers import Forward, has_own_forward

aten: Any = torch.ops.aten
Map = Callable[[Tensor], Tensor]


class _Linear(Function):
    """y = A x, by a function that returns it, by A and by its transpose."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y_of: Map, straight: Map, transposed: Map) -> Tensor:
        ctx.maps = straight, transposed
        return y_of(x)

    @staticmethod
    def backward(ctx: Any, *of_y: Tensor) -> tuple[Tensor | None, ...]:
        straight, transposed = ctx.maps
        to_x = _Linear.apply(of_y[0], transposed, transposed, straight)  # type: ignore[no-untyped-call]
        return to_x, None, None, None


def linear_forward_of(module: nn.Module) -> Forward | None:
    """Returns a forward of torch's own ReLU or 2-D pooling, None for any other module."""
    forward = _FORWARDS.get(type(module))
    if forward is None or has_own_forward(module) or getattr(module, "return_indices", False):
        return None
    return partial(_differentiable, module, forward)


def _differentiable(layer: Any, forward: Callable[[Any, Tensor], Tensor], input: Tensor) -> Tensor:
    return (forward if torch.is_grad_enabled() else type(layer).forward)(layer, input)


def _relu(_: nn.ReLU, input: Tensor) -> Tensor:
    y = torch.relu(input.detach())
    kept = y.detach()  # y itself would hold what made it
    version = kept._version

    def masked(g: Tensor) -> Tensor:
        if kept._version != version:
            raise RuntimeError("the output of a ReLU was changed in place")
        return aten.threshold_backward(g, kept, 0)  # type: ignore[no-any-return]

    return _Linear.apply(input, lambda _: y, masked, masked)  # type: ignore[no-any-return, no-untyped-call]


def _average(layer: nn.AvgPool2d, input: Tensor) -> Tensor:
    x = input.detach()
    rest = (layer.ceil_mode, layer.count_include_pad, layer.divisor_override)
    settings = (*_pairs(layer.kernel_size, layer.stride, layer.padding), *rest)

    def straight(v: Tensor) -> Tensor:
        return aten.avg_pool2d(v, *settings)  # type: ignore[no-any-return]

    def transposed(g: Tensor) -> Tensor:
        return aten.avg_pool2d_backward(g, x, *settings)  # type: ignore[no-any-return]

    return _Linear.apply(input, straight, straight, transposed)  # type: ignore[no-any-return, no-untyped-call]


def _maximum(layer: nn.MaxPool2d, input: Tensor) -> Tensor:
    x = input.detach()
    sizes = _pairs(layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    y, indices = aten.max_pool2d_with_indices(x, *sizes, layer.ceil_mode)

    def straight(v: Tensor) -> Tensor:
        return picked(v, indices)

    def transposed(g: Tensor) -> Tensor:
        return aten.max_pool2d_with_indices_backward(g, x, *sizes, layer.ceil_mode, indices)  # type: ignore[no-any-return]

    return _Linear.apply(input, lambda _: y, straight, transposed)  # type: ignore[no-any-return, no-untyped-call]


_FORWARDS: dict[type[nn.Module], Callable[[Any, Tensor], Tensor]] = {
    nn.ReLU: _relu,
    nn.AvgPool2d: _average,
    nn.MaxPool2d: _maximum,
}


def _pairs(*sizes: int | tuple[int, ...]) -> list[tuple[int, ...]]:
    return [(size, size) if isinstance(size, int) else size for size in sizes]


def picked(x: Tensor, indices: Tensor) -> Tensor:
    """Returns the pixels of x (…×C×H×W) at places in H·W (…×C×h×w), channels last in memory."""
    by_pixel = x.movedim(-3, -1).flatten(-3, -2)
    places = indices.movedim(-3, -1)
    found = by_pixel.gather(-2, places.flatten(-3, -2))
    return found.view(places.shape).movedim(-1, -3)


def concatenating(forward: Forward, input: Tensor) -> Tensor:
    """Runs a network, whose concatenations are functions, not modules."""
    with _Concatenations():
        return forward(input)


class _Concatenations(TorchFunctionMode):
    """Lets torch.cat be differentiated by pieces."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.cat and torch.is_grad_enabled():
            return _concatenated(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _concatenated(
    tensors: list[Tensor] | tuple[Tensor, ...], dim: int = 0, **others: Any
) -> Tensor:
    if others:
        return torch.cat(tensors, dim, **others)
    return _Concatenation.apply(dim, *tensors)  # type: ignore[no-any-return, no-untyped-call]


class _Concatenation(Function):
    """y = (x₁, x₂, …); its gradient is split, and the gradient of that concatenated."""

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Tensor) -> Tensor:
        ctx.dim, ctx.sizes = dim, [x.shape[dim] for x in tensors]
        return torch.cat(tensors, dim)

    @staticmethod
    def backward(ctx: Any, *of_y: Tensor) -> tuple[Tensor | None, ...]:
        return None, *torch.split(of_y[0], ctx.sizes, ctx.dim)

"""Convolution and batch norm whose derivatives take few passes over memory.

torch differentiates the backward of batch norm as about thirty small operations, and that of a
convolution as convolutions of unusual shapes; on a CPU they are most of a double backward. Written
out, either is a handful of the kernels that a first backward runs. First derivatives come from the
very kernels of torch, but for those of depthwise convolutions (``harness.passes.depthwise``); these
and the second ones agree with torch's up to rounding.

A third of a double backward are the gradients of weights, of which GraSP wants ⟨w, ∂w⟩ alone. That
is the derivative for a factor of the weight, and comes from tensors that are there anyway: a
convolution is linear in its weight, so ⟨w, ∂w⟩ = ⟨y, ∂y⟩ for y = w * x.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from harness.core.layouts import layout_of
from harness.passes import depthwise
from harness.passes.convolutions import Geometry, convolve, gradient_of_input, gradient_of_weight
from harness.passes.gradient_layouts import in_layout
from harness.passes.linear_layers import concatenating, linear_forward_of
from harness.passes.weighted_layers import Forward, has_own_forward, replacing_forwards

aten = torch.ops.aten
Gradients = tuple[Tensor | None, ...]


@dataclass
class Asked:
    """What backwards of a network are for.

    Attributes:
        weights: Whether gradients of convolutions' weights are wanted; if not, they stay empty.
    """

    weights: bool = True

    @contextmanager
    def for_inputs_alone(self) -> Iterator[None]:
        """Spares the gradients of weights while it is entered."""
        self.weights = False
        try:
            yield
        finally:
            self.weights = True


@contextmanager
def fast_first_derivatives(network: nn.Module) -> Iterator[Asked]:
    """Lets depthwise convolutions use the functions of this module where torch's are slow.

    They can be differentiated twice, as all in this module.
    """
    asked = Asked()

    def forward_of(module: nn.Module) -> Forward | None:
        slow = isinstance(module, nn.Conv2d) and depthwise.is_slow(module)
        return _convolution_of(module, asked) if slow else None

    with replacing_forwards(network, forward_of):
        yield asked


@contextmanager
def fast_second_derivatives(network: nn.Module) -> Iterator[Asked]:
    """Lets convolutions, norms and what is linear use the functions of this module and its like.

    Derivatives are those with respect to inputs and convolution weights; biases, scales and shifts
    count as constants, and running statistics stay as they are. Subclasses and modules with a
    ``forward`` of their own are left alone.
    """
    asked = Asked()

    def forward_of(module: nn.Module) -> Forward | None:
        layer = _convolution_of(module, asked) or _norm_of(module) or linear_forward_of(module)
        if layer is None and module is network and not has_own_forward(network):
            return partial(concatenating, network.forward)
        return layer

    with replacing_forwards(network, forward_of):
        yield asked


def _convolution_of(module: nn.Module, asked: Asked) -> Forward | None:
    if type(module) is nn.Conv2d and not has_own_forward(module) and _has_plain_padding(module):
        return partial(_convolution, module, asked)
    return None


def _norm_of(module: nn.Module) -> Forward | None:
    if type(module) is nn.BatchNorm2d and not has_own_forward(module) and module.training:
        return partial(_batch_norm, module)
    return None


def _has_plain_padding(layer: nn.Conv2d) -> bool:
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def _batch_norm(norm: nn.BatchNorm2d, input: Tensor) -> Tensor:
    if input.dim() != 4 or input.numel() == input.shape[1]:
        return nn.BatchNorm2d.forward(norm, input)  # says what is wrong with it
    ones = input.new_ones(input.shape[1])
    scale = ones if norm.weight is None else norm.weight.detach()
    shift = torch.zeros_like(ones) if norm.bias is None else norm.bias.detach()
    return _BatchNorm.apply(input, scale, shift, norm.eps)  # type: ignore[no-any-return, no-untyped-call]


class _Norm(NamedTuple):
    """What batch norm did, per channel."""

    scale: Tensor
    mean: Tensor
    inverse_std: Tensor


class _BatchNorm(Function):
    """y = γ·x̂ + β with x̂ = (x − mean) / √(var + ε) over a batch N×C×H×W."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, eps: float) -> Tensor:
        y, mean, inverse_std = torch.native_batch_norm(x, scale, shift, None, None, True, 0.0, eps)
        ctx.save_for_backward(x)
        ctx.norm = _Norm(scale, mean, inverse_std)
        return y

    @staticmethod
    def backward(ctx: Any, *of_y: Tensor) -> Gradients:
        return _BatchNormBackward.apply(of_y[0], *ctx.saved_tensors, ctx.norm), None, None, None  # type: ignore[no-untyped-call]


class _BatchNormBackward(Function):
    """The gradient g of y carried to x: γ/σ · (g − ⟨g⟩ − x̂·⟨g·x̂⟩), with means ⟨·⟩ per channel."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, norm: _Norm) -> Tensor:
        to_x, mean_g, mean_gx = _to_x(g, x, norm)
        ctx.save_for_backward(g, x)
        ctx.norm, ctx.means = norm, (mean_g, mean_gx)
        return to_x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *of_x: Tensor) -> Gradients:
        """Differentiates Σ v·(gradient of x).

        With k = −γ/σ² the derivative for x is

        k · [(⟨v·g⟩ − ⟨g⟩⟨v⟩ − 3⟨g·x̂⟩⟨v·x̂⟩) x̂ + ⟨v·x̂⟩ (g − ⟨g⟩) + ⟨g·x̂⟩ (v − ⟨v⟩)],

        and for g that of the backward itself, which is a symmetric map.
        """
        g, x = ctx.saved_tensors
        v = in_layout(layout_of(x), of_x[0])
        scale, mean, inverse_std = ctx.norm
        mean_g, mean_gx = ctx.means
        to_g, mean_v, mean_vx = _to_x(v, x, ctx.norm)
        mean_vg = (v * g).mean(dim=(0, 2, 3))
        k = -scale * inverse_std.square()
        slope = k * (mean_vg - mean_g * mean_v - 3 * mean_gx * mean_vx) * inverse_std
        constant = -slope * mean - k * (mean_vx * mean_g + mean_gx * mean_v)
        to_x = torch.addcmul(_per_channel(constant), x, _per_channel(slope))
        to_x.addcmul_(g, _per_channel(k * mean_vx)).addcmul_(v, _per_channel(k * mean_gx))
        return to_g, to_x, None


def _to_x(g: Tensor, x: Tensor, norm: _Norm) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradient of x and the channel means of g and of g·x̂."""
    to_x, sum_gx, sum_g = aten.native_batch_norm_backward(
        g, x, norm.scale, None, None, norm.mean, norm.inverse_std, True, 0.0, [True, True, True]
    )
    count = x.numel() // x.shape[1]
    return to_x, sum_g / count, sum_gx / count


def _per_channel(values: Tensor) -> Tensor:
    return values[:, None, None]


def _convolution(layer: nn.Conv2d, asked: Asked, input: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        return nn.Conv2d.forward(layer, input)
    padding = layer.padding
    assert not isinstance(padding, str)
    geometry = Geometry(layer.stride, padding, layer.dilation, layer.groups)
    bias = None if layer.bias is None else layer.bias.detach()
    return _Convolution.apply(input, layer.weight, bias, geometry, asked)  # type: ignore[no-any-return, no-untyped-call]


class _Convolution(Function):
    """y = w * x + b for x of N×C×H×W."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd wants every tensor by itself
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, asked: Asked
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry, ctx.asked = geometry, asked
        return convolve(x, weight, geometry, bias)

    @staticmethod
    def backward(ctx: Any, *of_y: Tensor) -> Gradients:
        (g,), (x, weight) = of_y, ctx.saved_tensors
        if ctx.asked.weights:
            both = _ConvolutionBackward.apply(g, x, weight, ctx.geometry)  # type: ignore[no-untyped-call]
        else:
            both = (_to_input(g, x, weight, ctx.geometry) if x.requires_grad else None, None)
        return *both, None, None, None


class _ConvolutionBackward(Function):
    """The gradient g of y carried to x and to the weight."""

    @staticmethod
    def forward(
        ctx: Any, g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry
    ) -> tuple[Tensor | None, Tensor]:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(g, x, weight)
        ctx.geometry = geometry
        to_x = _to_input(g, x, weight, geometry) if x.requires_grad else None
        return to_x, _to_weight(g, x, weight, geometry)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor | None) -> Gradients:
        """Differentiates Σ v·(gradient of x) + Σ u·(gradient of w).

        Both gradients are bilinear, and linear in g: what belongs to x is convolved with the
        weight, what belongs to the weight with x.
        """
        v, u = cotangents
        g, x, weight = ctx.saved_tensors
        to_g = to_x = to_weight = None
        if v is not None:
            to_g = convolve(v, weight, ctx.geometry)
            to_weight = _to_weight(g, v, weight, ctx.geometry)
        if u is not None:
            through_weight = convolve(x, u, ctx.geometry)
            to_g = through_weight if to_g is None else to_g.add_(through_weight)
            if ctx.needs_input_grad[1]:
                to_x = _to_input(g, x, u, ctx.geometry)
        return to_g, to_x, to_weight, None


def _to_input(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    own = depthwise.is_depthwise(weight, geometry)
    return (depthwise.to_input if own else gradient_of_input)(g, x, weight, geometry)


def _to_weight(g: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    own = depthwise.is_depthwise(weight, geometry)
    return (depthwise.to_weight if own else gradient_of_weight)(g, x, weight, geometry)

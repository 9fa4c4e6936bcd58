"""Multiply-accumulates of one forward."""

from math import prod

from torch import nn

from harness.passes.static import Layer, Layers
from harness.proxies.contract import proxy


@proxy()
def flops(layers: Layers) -> float:
    """Multiply-accumulates of one image, in millions, as tensorwatch counts them.

    Convolutions k²·C_in·C_out·H·W / groups (plus one per output for a bias), linear layers in·out
    per token, affine batch norm 2·C·H·W (else one per value), ReLUs one per value, pooling k² per
    output, the products of an attention where its module says how many they are. Additions,
    concatenations and functional calls count nothing, and a module that is called several times
    counts once.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators"; as counted in
    NAS-Bench-Suite-Zero (Krishnakumar et al. 2022).
    """
    return sum(_operations(layer) for layer in layers.executed) / 1e6


def _operations(layer: Layer) -> int:
    module, inputs, outputs = layer.module, prod(layer.input_shape), prod(layer.output_shape)
    match module:
        case nn.Conv2d():
            per_output = prod(module.kernel_size) * module.in_channels // module.groups
            return outputs * (per_output + (module.bias is not None))
        case nn.Linear():
            return module.in_features * outputs
        case nn.BatchNorm2d():
            return inputs * (2 if module.affine else 1)
        case nn.ReLU() | nn.ReLU6() | nn.PReLU() | nn.ELU() | nn.LeakyReLU():
            return inputs
        case nn.AvgPool2d() | nn.MaxPool2d():
            return outputs * _area(module.kernel_size)
        case nn.AdaptiveAvgPool2d():
            return _adaptive(layer)
        case _:
            own = getattr(module, "multiply_accumulates", None)
            return int(own(layer.input_shape)) if callable(own) else 0


def _area(kernel: int | tuple[int, ...]) -> int:
    return kernel**2 if isinstance(kernel, int) else prod(kernel)


def _adaptive(layer: Layer) -> int:
    """One window per output; a window of h×w inputs counts (h+1)·(w+1)."""
    channels, height, width = layer.input_shape
    _, rows, columns = layer.output_shape
    windows = sum(
        (_window(height, rows, i) + 1) * (_window(width, columns, j) + 1)
        for i in range(rows)
        for j in range(columns)
    )
    return channels * windows


def _window(size: int, parts: int, i: int) -> int:
    return -(-(i + 1) * size // parts) - i * size // parts

"""Proxies that need no data: sizes and norms."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from references.common import layers, prepare

RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.PReLU, nn.ELU, nn.LeakyReLU)


def params(network: nn.Module, images: Tensor, labels: Tensor | None = None) -> float:
    """Millions of parameters in the leaf modules that one forward pass executes.

    Krishnakumar et al., "NAS-Bench-Suite-Zero" (2022): weights, biases and batch-norm affine
    parameters all count; a module that never runs does not.
    """
    return sum(p.numel() for leaf in _executed(network, images) for p in leaf.parameters()) / 1e6


def flops(network: nn.Module, images: Tensor, labels: Tensor | None = None) -> float:
    """Millions of operations for one image, in NAS-Bench-Suite-Zero's way of counting.

    Krishnakumar et al. (2022): a multiply-accumulate counts once; batch norm (two per element if
    affine, else one), rectifiers (one per element) and pooling windows count as well; sums,
    concatenations, transposed convolutions and tanh do not. A module that runs several times
    counts as its last call.
    """
    return sum(_operations(leaf, *io) for leaf, io in _executed(network, images).items()) / 1e6


def l2_norm(
    network: nn.Module, images: Tensor | None = None, labels: Tensor | None = None
) -> float:
    """Sum of the Frobenius norms of all convolution and linear weights.

    Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS" (2021) and NAS-Bench-Suite-Zero:
    norms, not their squares; executed or not; no biases, no batch norm.
    """
    total = 0.0
    for layer in layers(network).values():
        total += math.sqrt(float((layer.weight.detach().double() ** 2).sum()))
    return total


def _executed(network: nn.Module, images: Tensor) -> dict[nn.Module, tuple[Tensor, Tensor]]:
    """Runs one image in eval mode; returns input and output of each leaf's last call."""
    network, images = prepare(network, images[:1])
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def remember(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen[module] = inputs[0], output

    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(remember)
    with torch.no_grad():
        network.eval()(images)
    return seen


def _operations(leaf: nn.Module, x: Tensor, y: Tensor) -> int:
    if isinstance(leaf, nn.Conv2d):
        positions = y.shape[2] * y.shape[3]
        k_h, k_w = leaf.kernel_size
        macs = k_h * k_w * leaf.in_channels * (leaf.out_channels // leaf.groups) * positions
        return macs + (leaf.out_channels * positions if leaf.bias is not None else 0)
    if isinstance(leaf, nn.Linear):
        return leaf.in_features * y.numel()
    if isinstance(leaf, nn.BatchNorm1d | nn.BatchNorm2d):
        return x.numel() * (2 if leaf.affine else 1)
    if isinstance(leaf, nn.AvgPool2d | nn.MaxPool2d):
        return _pooling(leaf, x)
    if isinstance(leaf, nn.AdaptiveAvgPool2d):
        return _adaptive_pooling(x, y)
    return x.numel() if isinstance(leaf, RECTIFIERS) else 0


def _pooling(leaf: nn.AvgPool2d | nn.MaxPool2d, x: Tensor) -> int:
    kernel, stride, padding = (
        value if isinstance(value, tuple) else (value, value)
        for value in (leaf.kernel_size, leaf.stride, leaf.padding)
    )
    height, width = ((x.shape[2 + i] + 2 * padding[i] - kernel[i]) // stride[i] + 1 for i in (0, 1))
    return kernel[0] * kernel[1] * x.shape[1] * height * width


def _adaptive_pooling(x: Tensor, y: Tensor) -> int:
    """Each window of h×w inputs costs (h+1)(w+1)."""
    total = 0
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            h = math.ceil((i + 1) * x.shape[2] / y.shape[2]) - i * x.shape[2] // y.shape[2]
            w = math.ceil((j + 1) * x.shape[3] / y.shape[3]) - j * x.shape[3] // y.shape[3]
            total += (h + 1) * (w + 1) * x.shape[1]
    return total

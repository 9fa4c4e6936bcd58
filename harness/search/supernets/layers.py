"""Blocks that only supernets have."""

from __future__ import annotations

from torch import nn


def relu_conv_bn(c_in: int, c_out: int, kernel: int) -> nn.Sequential:
    """Returns ReLU, convolution without bias, batch norm without weights."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(c_out, affine=False),
    )

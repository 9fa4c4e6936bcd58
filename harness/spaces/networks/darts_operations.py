"""The operations of the DARTS cell.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FactorizedReduce(nn.Module):
    """ReLU, two 1×1 convolutions of stride 2 on grids shifted by one, batch norm."""

    def __init__(self, c_in: int, c_out: int, *, affine: bool = True) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_a = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.conv_b = nn.Conv2d(c_in, c_out - c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×⌈H/2⌉×⌈W/2⌉."""
        x = self.relu(x)
        # The zero row and column are only ever read where H or W is odd.
        shifted = nn.functional.pad(x, (-1, 1, -1, 1))
        return self.norm(torch.cat([self.conv_a(x), self.conv_b(shifted)], dim=1))  # type: ignore[no-any-return]


class Zero(nn.Module):
    """The operation ``none``: zeros of the right shape."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×C×H×W to N×C×⌈H/stride⌉×⌈W/stride⌉ zeros."""
        return x[:, :, :: self.stride, :: self.stride] * 0


class Noise(nn.Module):
    """RobustDARTS's operation ``noise``: N(0,1) of the output's shape, whatever the input."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×C×H×W to N×C×⌈H/stride⌉×⌈W/stride⌉ of noise."""
        shape = x[:, :, :: self.stride, :: self.stride].shape
        return x.new_empty(shape) if x.is_meta else self.draw(shape, x)

    def draw(self, shape: torch.Size, x: Tensor) -> Tensor:
        """Draws from torch's global generator, new noise in every forward."""
        return torch.randn(shape, device=x.device, dtype=x.dtype)


def operation(name: str, channels: int, stride: int, *, affine: bool = True) -> nn.Module:
    """Builds one operation, from N×C×H×W to N×C×⌈H/stride⌉×⌈W/stride⌉.

    Args:
        name: One of ``darts.OPERATIONS``, ``none`` or ``noise``.
        channels: C.
        stride: 1 or 2.
        affine: Whether batch norm has weights. Without them, as in supernets, a batch norm also
            follows each pooling.
    """
    if name == "none":
        return Zero(stride)
    if name == "noise":
        return Noise(stride)
    if name == "skip_connect":
        if stride == 1:
            return nn.Identity()
        return FactorizedReduce(channels, channels, affine=affine)
    if name.endswith("pool_3x3"):
        pool = (
            nn.MaxPool2d(3, stride, padding=1)
            if name == "max_pool_3x3"
            else nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
        )
        return pool if affine else nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))
    kernel = int(name[-1])
    if name.startswith("dil_conv"):
        return _separable(channels, kernel, stride, dilation=2, affine=affine)
    return nn.Sequential(
        *_separable(channels, kernel, stride, dilation=1, affine=affine),
        *_separable(channels, kernel, stride=1, dilation=1, affine=affine),
    )


def _separable(
    channels: int, kernel: int, stride: int, dilation: int, affine: bool
) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
        ),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    )

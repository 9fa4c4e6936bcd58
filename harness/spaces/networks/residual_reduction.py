"""Building blocks that several benchmarks share."""

from __future__ import annotations

from torch import Tensor, nn


def relu_conv_bn(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Returns ReLU, convolution without bias, batch norm: the pre-activation order."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(c_out),
    )


class ResidualReduction(nn.Module):
    """NAS-Bench-201's stride-2 block between stages: halves the resolution, changes the width."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv_a = relu_conv_bn(c_in, c_out, 3, stride=2)
        self.conv_b = relu_conv_bn(c_out, c_out, 3)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2), nn.Conv2d(c_in, c_out, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×c_in×H×W to N×c_out×H/2×W/2."""
        return self.shortcut(x) + self.conv_b(self.conv_a(x))  # type: ignore[no-any-return]

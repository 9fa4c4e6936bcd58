"""Decoders of TransNAS-Bench-101: from the encoder's feature map to the output of each task.

Duan et al., CVPR 2021, section 3.2. Weights keep torch's default initialisation.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from harness.inputs.tasks import Task
from harness.spaces.tnb101_sizes import (
    DISCRIMINATOR,
    LAYOUTS,
    Layout,
    pooled_width,
)


def decoder(task: Task, width: int, doublings: int) -> nn.Module:
    """Builds the decoder of a task.

    Args:
        task: One of the benchmark's seven tasks.
        width: Channels of the encoder's output.
        doublings: How often an image decoder must double the resolution, 3 to 6: as often as the
            encoder halved it.
    """
    if task.name in LAYOUTS:
        return ImageDecoder(LAYOUTS[task.name], width, task.outputs, doublings)
    return FeedForwardDecoder(pooled_width(task, width), task.outputs)


class FeedForwardDecoder(nn.Module):
    """Global average pooling and a linear layer."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×width×H×W to N×outputs."""
        return self.classifier(self.pool(x))  # type: ignore[no-any-return]


class ImageDecoder(nn.Module):
    """3×3 convolutions and transposed convolutions back to the input's resolution."""

    def __init__(self, layout: Layout, width: int, outputs: int, doublings: int) -> None:
        super().__init__()
        upsampling = layout.upsampling[:doublings]
        self.layers = nn.Sequential(
            *(
                _layer(c_in, c_out, doubles=index in upsampling)
                for index, (c_in, c_out) in enumerate(pairwise((width, *layout.widths)))
            )
        )
        self.last = nn.Conv2d(layout.widths[-1], outputs, 3, padding=1)
        self.activation = nn.Tanh() if layout.tanh else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×width×H×W to N×outputs×(H·2^doublings)×(W·2^doublings)."""
        return self.activation(self.last(self.layers(x)))  # type: ignore[no-any-return]


def _layer(c_in: int, c_out: int, *, doubles: bool) -> nn.Sequential:
    convolution = (
        nn.ConvTranspose2d(c_in, c_out, 3, stride=2, padding=1, output_padding=1)
        if doubles
        else nn.Conv2d(c_in, c_out, 3, padding=1)
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2))


def discriminator() -> nn.Sequential:
    """Builds the critic of the tasks ``normal`` and ``autoencoder``: N×6×H×W to N scores.

    It sees the image and the prediction, stacked. The benchmark's model object carries it, but
    the forward never runs it: it matters only to what reads weights or counts parameters. The
    spectral norm under which it is trained is left to the training, because it acts only when the
    discriminator runs, and with it in place torch no longer shows the raw weights as parameters.
    """
    *hidden, last = (
        nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2)
        for c_in, c_out, kernel, stride in DISCRIMINATOR
    )
    layers = [nn.Sequential(conv, nn.LeakyReLU(0.2)) for conv in hidden]
    return nn.Sequential(*layers, last, nn.AdaptiveAvgPool2d(1), nn.Flatten(start_dim=0))

"""The networks of TransNAS-Bench-101: an encoder and the decoder of a task.

Duan et al., CVPR 2021, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TransNasNetwork(nn.Module):
    """Encoder and decoder; a discriminator rides along without taking part."""

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, discriminator: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.discriminator = discriminator

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×outputs, or N×outputs×H×W for the image tasks."""
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


class SiameseNetwork(TransNasNetwork):
    """The jigsaw network: one encoder for all tiles, their features stacked on the channel axis."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×9×3×H×W tiles to N×outputs logits."""
        # Tile by tile, not as one batch of 9N: each call has batch statistics of its own.
        features = [self.encoder(tile) for tile in x.unbind(dim=1)]
        return self.decoder(torch.cat(features, dim=1))  # type: ignore[no-any-return]

"""The networks of the PiT search space, as ViT-Bench-101 trains them.

Heo et al., "Rethinking Spatial Dimensions of Vision Transformers" (PiT), ICCV 2021; Wei et al.,
"Auto-Prox: Training-Free Vision Transformer Architecture Search via Automatic Proxy Discovery",
AAAI 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.spaces.networks.transformer_blocks import TOKEN_STD, TransformerBlock, layer_norm
from harness.spaces.pit import SIDES, STRIDE, PitArchitecture
from harness.spaces.transformer_sizes import PATCH


class OverlappingPatches(nn.Module):
    """Overlapping patches as a map with a learned position for each; then the class token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, PATCH, STRIDE)
        self.positions = nn.Parameter(torch.zeros(1, width, SIDES[0], SIDES[0]))
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        for weight in (self.positions, self.token):
            nn.init.trunc_normal_(weight, std=TOKEN_STD)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×224×224 to N×730×C."""
        x = self.patches(x) + self.positions
        return torch.cat([self.token.expand(len(x), -1, -1), _tokens(x)], dim=1)


class TokenPooling(nn.Module):
    """Halves the map by a convolution within each channel; the class token passes a linear."""

    def __init__(self, c_in: int, c_out: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.map = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1, groups=c_in)
        self.token = nn.Linear(c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×(1 + side²)×c_in to N×(1 + ⌈side/2⌉²)×c_out."""
        pixels = x[:, 1:].transpose(1, 2).reshape(len(x), -1, self.side, self.side)
        return torch.cat([self.token(x[:, :1]), _tokens(self.map(pixels))], dim=1)


def _tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


class PitNetwork(nn.Module):
    """Three stages of transformer blocks on ever smaller maps; the class token is classified.

    All layers keep torch's own initialisation.
    """

    def __init__(self, architecture: PitArchitecture, classes: int) -> None:
        super().__init__()
        widths, ratio = architecture.widths, architecture.mlp_ratio
        self.stem = OverlappingPatches(widths[0])
        self.blocks = nn.Sequential()
        for stage, (depth, heads) in enumerate(
            zip(architecture.depths, architecture.heads, strict=True)
        ):
            width = widths[stage]
            if stage > 0:
                self.blocks.append(TokenPooling(widths[stage - 1], width, SIDES[stage - 1]))
            self.blocks.extend(TransformerBlock(width, heads, ratio) for _ in range(depth))
        self.norm = layer_norm(widths[-1])
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×224×224 images to N×classes logits."""
        return self.head(self.norm(self.blocks(self.stem(x))[:, 0]))  # type: ignore[no-any-return]

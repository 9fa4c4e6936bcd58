"""The networks of AutoFormer's search space, as ViT-Bench-101 trains them.

Chen et al., "AutoFormer: Searching Transformers for Visual Recognition", ICCV 2021, without
relative positions; Wei et al., "Auto-Prox: Training-Free Vision Transformer Architecture Search
via Automatic Proxy Discovery", AAAI 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.spaces.autoformer import TOKENS, AutoFormerArchitecture
from harness.spaces.networks.transformer_blocks import TOKEN_STD, TransformerBlock, layer_norm
from harness.spaces.transformer_sizes import PATCH


class PatchEmbedding(nn.Module):
    """Patches as tokens, a class token before them, and a learned position for each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, PATCH, stride=PATCH)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, TOKENS, width))

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×224×224 to N×197×C."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.positions


class AutoFormerNetwork(nn.Module):
    """A vision transformer that classifies by the mean of its tokens without the class token."""

    def __init__(self, architecture: AutoFormerArchitecture, classes: int) -> None:
        super().__init__()
        width = architecture.width
        self.stem = PatchEmbedding(width)
        self.blocks = nn.Sequential(
            *(TransformerBlock(width, heads, ratio) for heads, ratio in architecture.blocks)
        )
        self.norm = layer_norm(width)
        self.head = nn.Linear(width, classes)
        self._initialise()

    def _initialise(self) -> None:
        """Draws linear layers, positions and token with σ = .02; the convolution keeps torch's."""
        linear = [module for module in self.modules() if isinstance(module, nn.Linear)]
        for weight in (self.stem.positions, self.stem.token, *(one.weight for one in linear)):
            nn.init.trunc_normal_(weight, std=TOKEN_STD)
        for one in linear:
            nn.init.zeros_(one.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×224×224 images to N×classes logits."""
        x = self.norm(self.blocks(self.stem(x)))
        return self.head(x[:, 1:].mean(dim=1))  # type: ignore[no-any-return]

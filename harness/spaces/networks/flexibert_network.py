"""The networks of NAS-Bench-BERT: ELECTRA's encoder of text, with a classifier on its first token.

Clark et al., "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators", ICLR
2020; Serianni & Kalita, "Training-free Neural Architecture Search for RNNs and Transformers", ACL
2023, as the benchmark's code for training builds them.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from harness.spaces.flexibert import POSITIONS, SEGMENTS, EncoderLayer, FlexiBertArchitecture
from harness.spaces.networks.transformer_blocks import TOKEN_STD, Attention

NORM_EPS = 1e-12


class TokenEmbedding(nn.Module):
    """Adds learned positions and segments to word embeddings; brings all to the hidden size."""

    def __init__(self, embedding: int, hidden_size: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(POSITIONS, embedding))
        self.segments = nn.Parameter(torch.zeros(SEGMENTS, embedding))
        self.norm = nn.LayerNorm(embedding, eps=NORM_EPS)
        same = embedding == hidden_size
        self.projection = nn.Identity() if same else nn.Linear(embedding, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×L×E embeddings of one segment to N×L×C."""
        return self.projection(self.norm(x + self.positions[: x.shape[1]] + self.segments[0]))  # type: ignore[no-any-return]


class PostNormBlock(nn.Module):
    """norm(x + attention(x)), then norm(x + feed_forward(x)); dropout is left out."""

    def __init__(self, hidden_size: int, layer: EncoderLayer) -> None:
        super().__init__()
        self.attention = Attention(hidden_size, layer.heads)
        self.attention_norm = nn.LayerNorm(hidden_size, eps=NORM_EPS)
        first, *others = (nn.Linear(*ends) for ends in pairwise(layer.feed_forward(hidden_size)))
        activated = (part for linear in others for part in (nn.GELU(), linear))
        self.mlp = nn.Sequential(first, *activated)
        self.mlp_norm = nn.LayerNorm(hidden_size, eps=NORM_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×L×C to the same shape."""
        x = self.attention_norm(x + self.attention(x))
        return self.mlp_norm(x + self.mlp(x))  # type: ignore[no-any-return]


class FlexiBertNetwork(nn.Module):
    """An encoder that classifies by its first token, as its fine-tuning on GLUE does."""

    def __init__(self, architecture: FlexiBertArchitecture, embedding: int, classes: int) -> None:
        super().__init__()
        hidden_size = architecture.hidden_size
        self.stem = TokenEmbedding(embedding, hidden_size)
        self.blocks = nn.Sequential(
            *(PostNormBlock(hidden_size, layer) for layer in architecture.layers)
        )
        self.head = nn.Linear(hidden_size, classes)
        self._initialise()

    def _initialise(self) -> None:
        """Draws blocks and embeddings with σ = .02 up to 2σ, the other layers after Glorot."""
        within = [module for module in self.blocks.modules() if isinstance(module, nn.Linear)]
        for weight in (self.stem.positions, self.stem.segments, *(one.weight for one in within)):
            nn.init.trunc_normal_(weight, std=TOKEN_STD, a=-2 * TOKEN_STD, b=2 * TOKEN_STD)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        for one in (self.stem.projection, self.head):
            if isinstance(one, nn.Linear):
                nn.init.xavier_uniform_(one.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×L×E embeddings of at most 512 tokens to N×classes logits."""
        return self.head(self.blocks(self.stem(x))[:, 0])  # type: ignore[no-any-return]

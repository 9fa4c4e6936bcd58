"""Building blocks of vision transformers: attention, MLP, and the block that both make.

Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
ICLR 2021; Touvron et al., "Training data-efficient image transformers" (DeiT), ICML 2021.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

NORM_EPS = 1e-6
TOKEN_STD = 0.02


class AttentionProduct(nn.Module):
    """Softmax(q·kᵀ / √width of a head)·v, head by head; it has no parameters."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×L×3C, queries before keys before values, to N×L×C."""
        n, tokens, _ = x.shape
        q, k, v = x.reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    def multiply_accumulates(self, input_shape: tuple[int, ...]) -> int:
        """Returns those of one image: two products of L×L by C, whatever the heads.

        Args:
            input_shape: (L, 3C).
        """
        tokens, width = input_shape
        return 2 * tokens**2 * width // 3


class Attention(nn.Module):
    """Multi-head self-attention with biases."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.product = AttentionProduct(heads)
        self.projection = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×L×C to the same shape."""
        return self.projection(self.product(self.qkv(x)))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """A pre-norm block: x + attention(norm(x)), then x + MLP(norm(x)).

    Stochastic depth, with which the benchmarks trained, is left out: at initialisation it would
    only add noise.
    """

    def __init__(self, width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.attention_norm = layer_norm(width)
        self.attention = Attention(width, heads)
        self.mlp_norm = layer_norm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×L×C to the same shape."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))  # type: ignore[no-any-return]


def layer_norm(width: int) -> nn.LayerNorm:
    """Returns a layer norm with the transformers' ε."""
    return nn.LayerNorm(width, eps=NORM_EPS)

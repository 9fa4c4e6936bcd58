"""Random tokens: what stands in for text, of which nothing is here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOKENS = "random_tokens"
VOCABULARY = 30_522  # of BERT and ELECTRA
EMBEDDING_STD = 0.02  # of word embeddings before training


def random_tokens(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Draws tokens uniformly from a vocabulary and returns their untrained word embeddings.

    The table of embeddings is drawn first: a token has the same embedding in every text.

    Args:
        shape: Texts, tokens of each, width of an embedding.
        random: Where the draws come from.
    """
    texts, length, width = shape
    table = random.standard_normal((VOCABULARY, width), dtype=np.float32) * EMBEDDING_STD
    return table[random.integers(VOCABULARY, size=(texts, length))]

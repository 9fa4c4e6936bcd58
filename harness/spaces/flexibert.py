"""FlexiBERT: text encoders of NAS-Bench-BERT, as they were trained.

Serianni & Kalita, "Training-free Neural Architecture Search for RNNs and Transformers", ACL 2023.
Its 500 descriptions choose an operation for every layer, but the code that trained them reads none
and builds scaled dot-product attention (docs/transformers.md), so 2,664 networks can be told apart.
The key is the hidden size, then heads and feed-forward layers of each of the 2 or 4 layers:
``256:4/3x1024,2/1``. Of three feed-forward layers only the second and third have the width that is
named; the first, like a single one, has 4 times the hidden size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from harness.inputs.tasks import Task
from harness.spaces import spelling
from harness.spaces.space import Space, spaces
from harness.spaces.transformer_sizes import count_attention, count_layers

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

HIDDEN_SIZES = (128, 256)
DEPTHS = (2, 4)
HEADS = (2, 4)
WIDTHS = (None, 512, 1024)  # of the second and third feed-forward layer; None where there is one
POSITIONS = 512  # that can be told apart; the text may be shorter
SEGMENTS = 2  # a GLUE task may compare two sentences

_LAYER = r"[24]/(?:1|3x512|3x1024)"
_FORM = re.compile(rf"(128|256):({_LAYER},{_LAYER}(?:,{_LAYER},{_LAYER})?)")


class EncoderLayer(NamedTuple):
    """Heads; width of the second and third feed-forward layer, None where there is one layer."""

    heads: int
    width: int | None

    @property
    def key(self) -> str:
        """The layer's part of a key."""
        return f"{self.heads}/{f'3x{self.width}' if self.width else 1}"

    def feed_forward(self, hidden_size: int) -> tuple[int, ...]:
        """Returns the widths that a token has on its way through the feed-forward layers."""
        further = (self.width, self.width) if self.width else ()
        return (hidden_size, 4 * hidden_size, *further, hidden_size)


class FlexiBertArchitecture(NamedTuple):
    """Hidden size and layers."""

    hidden_size: int
    layers: tuple[EncoderLayer, ...]

    @property
    def key(self) -> str:
        """The canonical key."""
        return f"{self.hidden_size}:{','.join(layer.key for layer in self.layers)}"


def parse(key: str) -> FlexiBertArchitecture:
    """Returns the architecture that a key names.

    Raises:
        HarnessError: If the text is not an architecture of the space.
    """
    form = spelling.formed(
        _FORM,
        key,
        "a FlexiBERT architecture",
        "256:4/3x1024,2/1: the hidden size (128 or 256), then heads (2 or 4) and feed-forward "
        "layers (1, 3x512 or 3x1024) of 2 or 4 layers.",
    )
    layers = (layer.split("/") for layer in form[2].split(","))
    return FlexiBertArchitecture(
        int(form[1]),
        tuple(
            EncoderLayer(int(heads), None if forward == "1" else int(forward.removeprefix("3x")))
            for heads, forward in layers
        ),
    )


class FlexiBert(Space):
    """NAS-Bench-BERT's encoders as they were trained: 2,664 architectures."""

    name = "flexibert"
    tasks = ("glue",)
    spellings: ClassVar[Mapping[str, str]] = {
        "hidden size, then heads/feed-forward layers of every layer": "256:4/3x1024,2/1",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 2,664 keys in alphabetical order."""
        return _keys()

    def canonical(self, key: str) -> str:
        """Returns the key without spaces around it; an architecture has one spelling."""
        return parse(key).key

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds encoder and classifier; the table of word embeddings belongs to the inputs."""
        from harness.spaces.networks.flexibert_network import FlexiBertNetwork

        return FlexiBertNetwork(parse(key), task.input_shape[-1], task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters; the number of heads does not matter."""
        hidden_size, layers = parse(key)
        spec = self.task(task)
        embedding = spec.input_shape[-1]
        stem = (POSITIONS + SEGMENTS + 2) * embedding
        if embedding != hidden_size:
            stem += count_layers((embedding, hidden_size))
        inner = sum(
            count_attention(hidden_size)
            + count_layers(layer.feed_forward(hidden_size))
            + 2 * 2 * hidden_size
            for layer in layers
        )
        return stem + inner + count_layers((hidden_size, spec.outputs))


@cache
def _keys() -> tuple[str, ...]:
    layers = [EncoderLayer(*choice) for choice in product(HEADS, WIDTHS)]
    found = (
        FlexiBertArchitecture(hidden_size, chosen).key
        for depth in DEPTHS
        for hidden_size, chosen in product(HIDDEN_SIZES, product(layers, repeat=depth))
    )
    return tuple(sorted(found))


spaces.add(FlexiBert.name, FlexiBert())

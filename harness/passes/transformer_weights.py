"""Which weights of a network are a transformer's: those of its attentions and of its MLPs."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from harness.core.errors import UndefinedScoreError
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import weighted_layers


@dataclass(frozen=True)
class TransformerWeights(Observation):
    """Places, among all weighted layers, of the linear layers of transformer blocks.

    Attributes:
        attention: Those of attentions: what makes queries, keys and values, and the projection.
        mlp: All others of the blocks.
    """

    attention: tuple[int, ...]
    mlp: tuple[int, ...]


@observes(TransformerWeights, images=False)
def transformer_weights(run: Run) -> Observations:
    """Reads the roles off the modules: an attention has that word in the name of its class.

    A block is a module with an attention among its direct parts.
    """
    blocks = [one for one in run.network.modules() if any(map(_is_attention, one.children()))]
    blocks = [block for block in blocks if not _is_attention(block)]
    if not blocks:
        raise UndefinedScoreError("the network has no transformer block: none with an attention")
    attentions = [one for block in blocks for one in block.modules() if _is_attention(one)]
    if any(isinstance(one, nn.MultiheadAttention) for one in attentions):
        raise UndefinedScoreError("an attention's projections are no linear layers")
    within = {id(layer) for one in attentions for layer in one.modules()}
    of_blocks = {id(layer) for block in blocks for layer in block.modules()} - within
    linear = [
        (place, id(layer))
        for place, layer in enumerate(weighted_layers(run.network))
        if isinstance(layer, nn.Linear)
    ]
    attention = tuple(place for place, layer in linear if layer in within)
    mlp = tuple(place for place, layer in linear if layer in of_blocks)
    return {TransformerWeights: TransformerWeights(attention, mlp)}


def _is_attention(module: nn.Module) -> bool:
    return "Attention" in type(module).__name__

"""Which weights of a network are a transformer's: those of its attentions and of its MLPs."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import weighted_layers


@dataclass(frozen=True)
class TransformerWeights(Observation):
    """Places, among all weighted layers, of the linear layers of transformer blocks.

    Attributes:
        attention: Those of attentions: what makes queries, keys and values, and the projection.
        mlp: All others of the blocks. Both are empty without blocks.
    """

    attention: tuple[int, ...]
    mlp: tuple[int, ...]


@observes(TransformerWeights, images=False)
def transformer_weights(run: Run) -> Observations:
    """Reads the roles off the modules: an attention has that word in the name of its class.

    A block is a module with an attention among its direct parts; torch's own attention, whose
    projections are no layers, makes none.
    """
    modules = list(run.network.modules())
    blocks = [one for one in modules if any(map(_is_attention, one.children()))]
    attentions = [part for block in blocks for part in block.children() if _is_attention(part)]
    within = {id(layer) for one in attentions for layer in one.modules()}
    around = {id(layer) for block in blocks for layer in block.modules()} - within
    linear = [
        (place, id(layer))
        for place, layer in enumerate(weighted_layers(run.network))
        if isinstance(layer, nn.Linear)
    ]
    attention = tuple(place for place, layer in linear if layer in within)
    mlp = tuple(place for place, layer in linear if layer in around)
    return {TransformerWeights: TransformerWeights(attention, mlp)}


def _is_attention(module: nn.Module) -> bool:
    own = any(isinstance(part, nn.Linear) for part in module.children())
    named = "Attention" in type(module).__name__
    return named and own and not isinstance(module, nn.MultiheadAttention)

"""Passes that compute nothing: the layers' shapes and their initial weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from harness.core.errors import UndefinedScoreError
from harness.passes.functional_layers import parameters_touched
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import NO_WEIGHTS, watching, weighted_layers, weights_of


@dataclass(frozen=True)
class Weights(Observation):
    """The initial weights of all convolutions and linear layers."""

    tensors: tuple[Tensor, ...]


@dataclass(frozen=True)
class Layer:
    """One executed leaf module with the shapes of its last call, without the batch axis."""

    module: nn.Module
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


@dataclass(frozen=True)
class Layers(Observation):
    """All leaf modules that a forward executes, each once, and the network's own size.

    Attributes:
        executed: The leaf modules in the order of their first call.
        parameters: Number of parameters that the forward uses: those of the executed leaf modules,
            and others that functions take (an attention's projections, a position embedding).
        theta: Number of parameters that stands for the architecture's size: what its space says, or
            all trainable ones of the network, executed or not, without those whose names contain
            "auxiliary", as in SWAP's script.
        tensors: Number of tensors that the network's parameters are, executed or not.
    """

    executed: tuple[Layer, ...]
    parameters: int
    theta: int
    tensors: int


@observes(Weights, images=False)
def weights(run: Run) -> Observations:
    """Hands out the weights as they are."""
    if not weighted_layers(run.network):
        raise UndefinedScoreError(NO_WEIGHTS)
    return {Weights: Weights(tuple(w.detach() for w in weights_of(run.network)))}


@observes(Layers, images=False)
def layers(run: Run) -> Observations:
    """Reads the shapes off a forward of one black image, in evaluation mode."""
    executed: dict[nn.Module, Layer] = {}

    def see(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        of_input = tuple(inputs[0].shape[1:]) if inputs else ()
        executed[module] = Layer(module, of_input, tuple(output.shape[1:]))

    leaves = [module for module in run.network.modules() if not any(module.children())]
    with torch.no_grad(), run.undisturbed("layers"), watching(leaves, see):
        run.trace()
    own = (p.numel() for name, p in run.given.named_parameters() if "auxiliary" not in name)
    theta = sum(own) if run.theta is None else run.theta
    tensors = sum(1 for _ in run.given.parameters())
    return {Layers: Layers(tuple(executed.values()), _used(run, executed), theta, tensors)}


def _used(run: Run, executed: Iterable[nn.Module]) -> int:
    """Returns the number of parameters, each once, that the forward uses."""
    if run.given is not run.network:
        executed = ()
    sizes = {id(p): p.numel() for module in executed for p in module.parameters()}
    others = {id(p): p.numel() for p in run.given.parameters() if id(p) not in sizes}
    if others:
        given = replace(run, network=run.given)
        with torch.no_grad(), given.undisturbed("layers"):
            touched = parameters_touched(given.trace)
        sizes |= {one: size for one, size in others.items() if one in touched}
    return sum(sizes.values())

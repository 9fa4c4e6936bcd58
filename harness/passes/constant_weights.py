"""The epsinas pass: what a network returns when all its weights are the same number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.passes.further_settings import EpsSettings
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run


@dataclass(frozen=True)
class ConstantWeightOutputs(Observation):
    """All outputs for the minibatch, flattened, float64: with small weights and with large ones."""

    small: Tensor
    large: Tensor


@observes(ConstantWeightOutputs)
def constant_weights(run: Run, settings: EpsSettings) -> Observations:
    """Runs the minibatch twice, in train mode, in the network's own precision.

    Small weights to the power of the depth leave single precision where no shortcut carries the
    signal: such networks have no score, as in the authors' code.
    """
    images = run.batch.images
    with run.undisturbed("eps"), torch.no_grad():
        small, large = (
            functional_call(run.network, _constant_parameters(run.network, weight), (images,))
            for weight in settings.weights()
        )
    outputs = ConstantWeightOutputs(small.double().flatten(), large.double().flatten())
    return {ConstantWeightOutputs: outputs}


def _constant_parameters(network: nn.Module, weight: float) -> dict[str, Tensor]:
    """Sets everything that is called weight to a number and every bias to 0; keeps the rest."""
    values = {"weight": weight, "bias": 0.0}
    return {
        name: torch.full_like(parameter, values[own]) if own in values else parameter.detach()
        for name, parameter in network.named_parameters()
        for own in [name.rpartition(".")[2]]
    }

"""The SynFlow pass: absolute weights, an image of ones, no batch norm, double precision."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import (
    NO_WEIGHTS,
    weighted_layers,
    weights_of,
    without_batch_norm,
)


@dataclass(frozen=True)
class SynapticFlow(Observation):
    """|w ⊙ ∂R/∂w| summed over each layer's weights; R is the sum of all outputs (float64)."""

    layers: tuple[Tensor, ...]


@observes(SynapticFlow, images=False)
def synflow(run: Run) -> Observations:
    """Runs one image of ones forward and backward; labels and the batch's content are unused.

    float64, because activations grow by the fan-in at every layer and overflow float32.
    """
    if not weighted_layers(run.network):
        raise UndefinedScoreError(NO_WEIGHTS)
    images = torch.ones_like(run.batch.images[:1], dtype=torch.float64)
    ids = {id(weight): i for i, weight in enumerate(weights_of(run.network))}
    parameters = {
        name: parameter.detach().double().abs().requires_grad_(id(parameter) in ids)
        for name, parameter in run.network.named_parameters()
    }
    buffers = {
        name: buffer.double().abs() if buffer.is_floating_point() else buffer.clone()
        for name, buffer in run.network.named_buffers()
    }
    with run.undisturbed("synflow"), without_batch_norm(run.network):
        outputs = functional_call(run.network, (parameters, buffers), (images,))
        weights = [p for p in parameters.values() if p.requires_grad]
        gradients = torch.autograd.grad(
            outputs.sum(), weights, allow_unused=True, materialize_grads=True
        )
    flows = tuple(
        (weight * gradient).abs().sum().detach()
        for weight, gradient in zip(weights, gradients, strict=True)
    )
    return {SynapticFlow: SynapticFlow(flows)}

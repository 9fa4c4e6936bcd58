"""The tangent-kernel pass: how the outputs of every two images depend on the same weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.fast_gradients import fast_gradients
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.settings import NtkSettings
from harness.passes.weighted_layers import kaiming_parameters


@dataclass(frozen=True)
class TangentKernel(Observation):
    """The kernel G·Gᵀ (N×N float64); row n of G is the gradient of image n's summed outputs."""

    matrix: Tensor


@observes(TangentKernel)
def ntk(run: Run, settings: NtkSettings) -> Observations:
    """Runs the images forward in train mode and one backward per image.

    The gradients are with respect to all parameters whose name contains "weight", batch norm's
    included, as in TE-NAS. Train-mode batch norm couples the images, so that the forward cannot be
    taken apart.
    """
    images = run.batch.images[: settings.images]
    parameters: dict[str, Tensor] = dict(run.network.named_parameters())
    with run.undisturbed("ntk"), fast_gradients(run):
        if settings.init == "kaiming":
            drawn = kaiming_parameters(run.network, mode="fan_out")
            parameters = {name: value.requires_grad_(True) for name, value in drawn.items()}
        weights = [value for name, value in parameters.items() if "weight" in name]
        if not weights:
            raise UndefinedScoreError("the network has no parameter that is called a weight")
        outputs = functional_call(run.network, parameters, (images,))
        outputs = outputs.reshape(len(outputs), -1).sum(dim=1)
        rows = [_gradient(output, weights) for output in outputs]
    return {TangentKernel: TangentKernel(_gram(rows))}


def _gradient(output: Tensor, weights: list[Tensor]) -> list[Tensor]:
    gradients = torch.autograd.grad(
        output, weights, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return [gradient.flatten() for gradient in gradients]


def _gram(rows: list[list[Tensor]]) -> Tensor:
    """Sums the layers' Gram matrices; float64, because small eigenvalues decide."""
    layers = [torch.stack(layer).double() for layer in zip(*rows, strict=True)]
    return torch.stack([layer @ layer.T for layer in layers]).sum(dim=0)

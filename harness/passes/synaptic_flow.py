"""The SynFlow pass: absolute weights, an image of ones, no batch norm, double precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import (
    NO_WEIGHTS,
    Forward,
    has_own_forward,
    replacing_forwards,
    weighted_layers,
    weights_of,
    without_batch_norm,
)


@dataclass(frozen=True)
class SynapticFlow(Observation):
    """Parts whose sum is Σ |w ⊙ ∂R/∂w| over all weights; R is the sum of all outputs (float64)."""

    parts: tuple[Tensor, ...]


@observes(SynapticFlow, images=False)
def synflow(run: Run) -> Observations:
    """Runs one image of ones forward and backward; labels and the batch's content are unused.

    float64, because activations grow by the fan-in at every layer and overflow float32.
    """
    if not weighted_layers(run.network):
        raise UndefinedScoreError(NO_WEIGHTS)
    images = torch.ones_like(run.batch.images[:1], dtype=torch.float64)
    ids = {id(weight) for weight in weights_of(run.network)}
    parameters = {
        name: parameter.detach().double().abs().requires_grad_(id(parameter) in ids)
        for name, parameter in run.network.named_parameters()
    }
    buffers = {
        name: buffer.double().abs() if buffer.is_floating_point() else buffer.clone()
        for name, buffer in run.network.named_buffers()
    }
    weights = [p for p in parameters.values() if p.requires_grad]
    forward = partial(functional_call, run.network, (parameters, buffers))
    with run.undisturbed("synflow"), without_batch_norm(run.network):
        parts = _flow_through_outputs(run.network, weights, forward, images)
        if parts is None:
            parts = _flow_through_weights(weights, forward(images))
    return {SynapticFlow: SynapticFlow(tuple(parts))}


def _flow_through_weights(weights: list[Tensor], outputs: Tensor) -> list[Tensor]:
    gradients = torch.autograd.grad(
        outputs.sum(), weights, allow_unused=True, materialize_grads=True
    )
    pairs = zip(weights, gradients, strict=True)
    return [(weight * gradient).detach().abs().sum() for weight, gradient in pairs]


class _Call(NamedTuple):
    """One call of a layer y = w·x + b."""

    least: Tensor
    y: Tensor
    bias: Tensor | None


def _flow_through_outputs(
    network: nn.Module,
    weights: list[Tensor],
    forward: Callable[[Tensor], Tensor],
    images: Tensor,
) -> list[Tensor] | None:
    """Takes the flow at the layers' outputs, which spares the gradients of their weights.

    A layer is linear in its weights, so Σ w ⊙ ∂R/∂w = Σ (y − b) ⊙ ∂R/∂y. Where input and gradient
    of every call have no negative entry, which a look at them tells, the terms have none either and
    the sum is that of their absolute values. What else a network does with a weight still counts
    by its gradient.

    Returns:
        The flow of each call and of each weight that is used elsewhere; None where the sums differ.
    """
    calls: list[_Call] = []
    with replacing_forwards(network, partial(_recording, calls)):
        outputs = forward(images.requires_grad_(True))
    if any(call.y._version for call in calls):
        return None  # it was written to
    gradients = torch.autograd.grad(
        outputs.sum(), [*(call.y for call in calls), *weights], allow_unused=True
    )
    least, parts = [images.new_zeros(())], [images.new_zeros(())]
    for call, g in zip(calls, gradients, strict=False):
        if g is not None:
            least += [call.least, g.min()]
            linear = call.y if call.bias is None else call.y - call.bias
            parts.append((linear * g).sum().detach())
    for weight, g in zip(weights, gradients[len(calls) :], strict=True):
        if g is not None:
            least.append(g.min())
            parts.append((weight * g).sum().detach())
    return parts if bool(torch.stack(least).min() >= 0) else None


def _recording(calls: list[_Call], module: nn.Module) -> Forward | None:
    """Returns a forward that notes a plain layer's calls; its weights are constants there."""
    if not isinstance(module, (nn.Conv2d, nn.Linear)) or has_own_forward(module):
        return None
    plain = type(module) in (nn.Conv2d, nn.Linear) and module._parameters.get("weight") is not None
    return partial(_recorded, calls, module) if plain else None


def _recorded(calls: list[_Call], layer: nn.Conv2d | nn.Linear, input: Tensor) -> Tensor:
    weight, bias = layer.weight.detach(), layer.bias
    if isinstance(layer, nn.Linear):
        y = nn.functional.linear(input, weight, bias)
    else:
        y = layer._conv_forward(input, weight, bias)
        bias = None if bias is None else bias[:, None, None]
    if not y.requires_grad and not y.is_inference():  # what a constant leads to
        y.requires_grad_(True)
    calls.append(_Call(input.detach().min(), y, bias))
    return y

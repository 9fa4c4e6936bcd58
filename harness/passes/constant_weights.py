"""The epsinas pass: what a network returns when all its weights are the same number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.passes.further_settings import EpsSettings
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run


@dataclass(frozen=True)
class ConstantWeightOutputs(Observation):
    """All outputs for the minibatch, flattened, float64: with small weights and with large ones.

    Attributes:
        small: With small weights.
        large: With large weights.
        kept: The largest sum of the last linear layer over the largest sum of its terms' absolute
            values, 0 to 1, the smaller of both runs: near 0 the terms cancel, and the outputs are
            rounding. 1 where no linear layer runs.
    """

    small: Tensor
    large: Tensor
    kept: Tensor


@observes(ConstantWeightOutputs)
def constant_weights(run: Run, settings: EpsSettings) -> Observations:
    """Runs the minibatch twice, in train mode, in the network's own precision.

    Small weights to the power of the depth leave single precision where no shortcut carries the
    signal: such networks have no score, as in the authors' code.
    """
    images = run.batch.images
    outputs, kept = [], []
    with run.undisturbed("eps"), torch.no_grad():
        for weight in settings.weights():
            constant = _constant_parameters(run.network, weight)
            with _last_linear(run.network) as calls:
                outputs.append(functional_call(run.network, constant, (images,)).double().flatten())
            kept.append(_kept(*calls[-1]) if calls else torch.ones((), device=images.device))
    small, large = outputs
    return {ConstantWeightOutputs: ConstantWeightOutputs(small, large, torch.stack(kept).min())}


@contextmanager
def _last_linear(network: nn.Module) -> Iterator[deque[tuple[Tensor, Tensor, Tensor]]]:
    """Yields inputs, weights and outputs of the linear layer that ran last."""
    calls: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=1)

    def look(layer: nn.Linear, inputs: tuple[Tensor], outputs: Tensor) -> None:
        calls.append((inputs[0], layer.weight, outputs))  # the weights are there for this call

    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_hook(look) for module in linear]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _kept(inputs: Tensor, weights: Tensor, outputs: Tensor) -> Tensor:
    """Returns what sums keep of their terms, see ``ConstantWeightOutputs``."""
    terms = inputs.abs().double() @ weights.abs().double().T
    return outputs.abs().max().double() / terms.max()


def _constant_parameters(network: nn.Module, weight: float) -> dict[str, Tensor]:
    """Sets everything that is called weight to a number and every bias to 0; keeps the rest."""
    values = {"weight": weight, "bias": 0.0}
    return {
        name: torch.full_like(parameter, values[own]) if own in values else parameter.detach()
        for name, parameter in network.named_parameters()
        for own in [name.rpartition(".")[2]]
    }

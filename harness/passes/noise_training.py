"""The InTrain pass: one training step's forward and backward on noise with random labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from harness.core.errors import UndefinedScoreError
from harness.passes.fast_gradients import fast_gradients
from harness.passes.features import positions_by_channels
from harness.passes.further_settings import InTrainSettings
from harness.passes.losses import CLASS_LOSSES
from harness.passes.observation import Observation, Observations, observes
from harness.passes.patterns import is_nwot_relu
from harness.passes.run import Run
from harness.passes.transfer import noise_like
from harness.passes.weighted_layers import watching, weighted_layers, weights_of


@dataclass(frozen=True)
class NoiseTraining(Observation):
    """What a network makes of noise.

    Attributes:
        covariances: Per layer call C×C float64, of the channels over images and positions.
        gradients: Of the loss by each parameter tensor that counts; 0 where none.
    """

    covariances: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]


@observes(NoiseTraining, backward=[NoiseTraining], images=False)
def noise_training(run: Run, settings: InTrainSettings) -> Observations:
    """Shows noise in train mode to the network's own weights; labels are drawn evenly."""
    if run.batch.loss not in CLASS_LOSSES:
        raise UndefinedScoreError("the outputs are no logits of classes")
    covariances: list[Tensor] = []

    def see(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
        covariances.append(_covariance(output.detach()))

    network = run.network
    relus = [module for module in network.modules() if is_nwot_relu(module)]
    layers = relus if settings.layers == "relus" else weighted_layers(network)
    with run.undisturbed("intrain"), fast_gradients(run), watching(layers, see):
        logits = network(noise_like(run.batch.images))
        if logits.dim() != 2:
            raise UndefinedScoreError("needs logits N×K")
        labels = torch.randint(logits.shape[1], (len(logits),), device="cpu").to(logits.device)
        gradients = torch.autograd.grad(
            cross_entropy(logits, labels),
            list(network.parameters()) if settings.norms else weights_of(network),
            allow_unused=True,
            materialize_grads=True,
        )
    return {NoiseTraining: NoiseTraining(tuple(covariances), gradients)}


def _covariance(output: Tensor) -> Tensor:
    rows = positions_by_channels(output).double()
    centred = rows - rows.mean(dim=0)
    return centred.T @ centred / len(rows)

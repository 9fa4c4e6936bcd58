"""InTrain."""

import math

import torch
from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.further_settings import InTrainSettings
from harness.passes.noise_training import NoiseTraining
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy

RIDGE, EPSILON = 1e-10, 1e-10


@proxy(tasks="tasks with classes")
def intrain(noise: NoiseTraining, settings: InTrainSettings) -> float:
    """γ · (1 + o) / log(L + 1): how many directions the layers fill, and how even gradients are.

    γ = Σ_l log (tr C)² / tr C² over the L layers, C the covariance of a layer's channels plus
    1e-10 on its diagonal; o = Σ min(1, std g / (max |g| + 1e-10)) over the gradients g of the
    parameter tensors, all for noise with random labels. Which layers and which parameters count is
    not told where the definition was read, in third-party notes: ``intrain.layers`` and
    ``intrain.norms`` choose.

    Source: Zhou et al. 2026, "InTrain: Intrinsic Trainability for Zero-Cost Neural Architecture
    Search".
    """
    if not noise.covariances or not noise.gradients:
        raise UndefinedScoreError(f"the network has no layer of the kind {settings.layers!r}")
    capacity = sum(map(math.log, numbers(list(map(_participation, noise.covariances)))))
    health = sum(min(1.0, evenness) for evenness in numbers(list(map(_evenness, noise.gradients))))
    return capacity * (1 + health) / math.log(len(noise.covariances) + 1)


def _participation(covariance: Tensor) -> Tensor:
    ridged = covariance + RIDGE * torch.eye(len(covariance), device=covariance.device)
    return ridged.diagonal().sum().square() / ridged.square().sum()


def _evenness(gradient: Tensor) -> Tensor:
    exact = gradient.double()
    return exact.std(unbiased=False) / (exact.abs().amax() + EPSILON)

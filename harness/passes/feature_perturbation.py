"""The Zen pass: how much a small change of a noise image moves the feature map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.settings import ZenSettings
from harness.passes.transfer import noise_like, numbers
from harness.passes.weighted_layers import fresh_buffers, gaussian_parameters, watching


@dataclass(frozen=True)
class FeaturePerturbation(Observation):
    """What Zen-Score is made of, per repeat.

    Attributes:
        differences: Mean over images of Σ|f(x) − f(x + γ·noise)|.
        variances: The running variances of all batch norms after both forwards.
    """

    differences: tuple[float, ...]
    variances: tuple[tuple[Tensor, ...], ...]


@observes(FeaturePerturbation, images=False)
def zen(run: Run, settings: ZenSettings) -> Observations:
    """Draws N(0,1) weights and runs noise and perturbed noise, both in train mode.

    The running variances are read after both forwards, starting from 1 with the norms' own
    momentum, as the published scores were computed; they accumulate over repeats.
    """
    differences: list[Tensor] = []
    variances: list[tuple[Tensor, ...]] = []
    with run.undisturbed("zen"), torch.no_grad():
        tap = feature_map_consumer(run)
        buffers = fresh_buffers(run.network)
        for _ in range(settings.repeats):
            state = {**gaussian_parameters(run.network), **buffers}
            noise, other = (noise_like(run.batch.images) for _ in range(2))
            perturbed = noise + settings.gamma * other
            f, g = (_features(run.network, tap, state, images) for images in (noise, perturbed))
            differences.append((f - g).abs().sum(dim=tuple(range(1, f.dim()))).mean())
            variances.append(tuple(b.clone() for n, b in buffers.items() if "running_var" in n))
    return {FeaturePerturbation: FeaturePerturbation(tuple(numbers(differences)), tuple(variances))}


def feature_map_consumer(run: Run) -> nn.Module:
    """Returns the module whose input is the last feature map.

    That is the global average pooling, or in a network without one the last convolution or linear
    layer to run (the published scores tap image decoders there).
    """
    order: list[nn.Module] = []

    def see(module: nn.Module, _: tuple[Tensor, ...], __: Tensor) -> None:
        order.append(module)

    kinds = (nn.AdaptiveAvgPool2d, nn.Conv2d, nn.Linear)
    candidates = [m for m in run.network.modules() if isinstance(m, kinds)]
    with watching(candidates, see):
        run.trace()
    if not order:
        raise UndefinedScoreError("the network has no pooling, convolution or linear layer")
    pooling = [module for module in order if isinstance(module, nn.AdaptiveAvgPool2d)]
    return (pooling or order)[-1]


def _features(
    network: nn.Module, tap: nn.Module, state: dict[str, Tensor], images: Tensor
) -> Tensor:
    taken: list[Tensor] = []
    with watching([tap], partial(_take, taken)):
        functional_call(network, state, (images,))
    return taken[-1]


def _take(taken: list[Tensor], _: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
    taken.append(inputs[0])

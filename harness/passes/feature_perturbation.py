"""The Zen pass: how much a small change of a noise image moves the feature map."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.functional_layers import is_whole, watching_global_pooling
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
        tap = _feature_tap(run)
        buffers = fresh_buffers(run.network)
        for _ in range(settings.repeats):
            state = {**gaussian_parameters(run.network), **buffers}
            noise, other = (noise_like(run.batch.images) for _ in range(2))
            perturbed = noise + settings.gamma * other
            f, g = (_feature_map(run.network, tap, state, images) for images in (noise, perturbed))
            differences.append((f - g).abs().sum(dim=tuple(range(1, f.dim()))).mean())
            variances.append(tuple(b.clone() for n, b in buffers.items() if "running_var" in n))
    return {FeaturePerturbation: FeaturePerturbation(tuple(numbers(differences)), tuple(variances))}


POOLINGS = (nn.AdaptiveAvgPool2d, nn.AvgPool2d)
Tap = type[nn.AdaptiveAvgPool2d] | nn.Module
"""What the last feature map goes into: a module, or a function that does what a pooling does."""


def _feature_tap(run: Run) -> Tap:
    """Returns what takes in the last feature map.

    That is the last global average pooling, be it a module, a function or a mean, or in a network
    without one the last convolution or linear layer to run (the published scores tap image decoders
    there).
    """
    order: list[Tap] = []
    kinds = (*POOLINGS, nn.Conv2d, nn.Linear)
    candidates = [m for m in run.network.modules() if isinstance(m, kinds)]
    with _watching(run.network, candidates, lambda tap, _: order.append(tap)):
        run.trace()
    if not order:
        raise UndefinedScoreError("the network has no pooling, convolution or linear layer")
    return ([tap for tap in order if _is_pooling(tap)] or order)[-1]


def _is_pooling(tap: Tap) -> bool:
    return tap is nn.AdaptiveAvgPool2d or isinstance(tap, POOLINGS)


def _feature_map(network: nn.Module, tap: Tap, state: dict[str, Tensor], images: Tensor) -> Tensor:
    taken: list[Tensor] = []

    def take(seen: Tap, features: Tensor) -> None:
        if seen is tap:
            taken[:] = [features]

    with _watching(network, [tap] if isinstance(tap, nn.Module) else [], take):
        functional_call(network, state, (images,))
    return taken[-1]


@contextmanager
def _watching(
    network: nn.Module, modules: Sequence[nn.Module], see: Callable[[Tap, Tensor], None]
) -> Iterator[None]:
    """Calls ``see(tap, input)`` after every call of a module and every function that pools."""

    def see_module(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if not isinstance(module, nn.AvgPool2d) or is_whole(inputs[0], output):
            see(module, inputs[0])

    poolings = [m for m in network.modules() if isinstance(m, POOLINGS)]
    with (
        watching(modules, see_module),
        watching_global_pooling(network, poolings, partial(see, nn.AdaptiveAvgPool2d)),
    ):
        yield

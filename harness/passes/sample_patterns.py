"""The SWAP pass: distinct activation patterns over a few images, counted as the forward runs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.observation import Observation, Observations, observes
from harness.passes.patterns import NO_RELU, DistinctPatterns, is_swap_relu, watching_relus
from harness.passes.run import Run
from harness.passes.settings import SwapSettings
from harness.passes.transfer import on_device
from harness.passes.weighted_layers import fresh_buffers, gaussian_parameters


@dataclass(frozen=True)
class SampleWisePatterns(Observation):
    """Distinct sample-wise activation patterns Ψ, one count per initialisation."""

    counts: tuple[int, ...]


@observes(SampleWisePatterns)
def swap(run: Run, settings: SwapSettings) -> Observations:
    """Shows the batch's first images to the network, once per initialisation, in train mode.

    Batch norm normalises over these few images alone, so this forward cannot be shared with the
    minibatch's.
    """
    images = run.batch.images[: settings.images].detach()
    counts = []
    with run.undisturbed("swap"), torch.no_grad():
        for network, state in _initialisations(run, settings):
            patterns = DistinctPatterns(len(images))
            with _counting(network, patterns):
                # functional_call walks the module tree several times: not for nothing
                functional_call(network, state, (images,)) if state else network(images)
            if not (count := patterns.count()):
                raise UndefinedScoreError(NO_RELU)
            counts.append(count)
    return {SampleWisePatterns: SampleWisePatterns(tuple(counts))}


def _counting(network: nn.Module, patterns: DistinctPatterns) -> AbstractContextManager[None]:
    def see(module: nn.Module, x: Tensor, bits: Tensor) -> None:
        if is_swap_relu(module, x):
            patterns.add(bits)

    return watching_relus(network, see)


def _initialisations(
    run: Run, settings: SwapSettings
) -> Iterator[tuple[nn.Module, dict[str, Tensor]]]:
    """Yields the networks to run and the tensors to run them with."""
    if settings.init == "gaussian":
        for _ in range(settings.repeats):
            yield run.network, gaussian_parameters(run.network) | fresh_buffers(run.network)
        return
    yield run.network, {}
    for repeat in range(1, settings.repeats):
        yield _redrawn(run, repeat), {}


def _redrawn(run: Run, repeat: int) -> nn.Module:
    """Returns the same architecture with other initial weights."""
    if run.redraw is not None:
        return on_device(run.redraw(repeat), run.batch.images.device)
    network = copy.deepcopy(run.network)
    for module in network.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    return network

"""The SWAP pass: distinct activation patterns over a few images, counted as the forward runs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from harness.core.errors import UndefinedScoreError
from harness.passes.observation import Observation, Observations, observes
from harness.passes.patterns import NO_RELU, DistinctPatterns, is_swap_relu, watching_relus
from harness.passes.run import Run
from harness.passes.settings import SwapSettings
from harness.passes.sign_patterns import NO_SIGN, counting_signs
from harness.passes.transfer import on_device
from harness.passes.weighted_layers import fresh_buffers, gaussian_parameters


@dataclass(frozen=True)
class SampleWisePatterns(Observation):
    """Distinct sample-wise activation patterns Ψ, one count per initialisation."""

    counts: tuple[int, ...]


@dataclass(frozen=True)
class SignPatterns(Observation):
    """Distinct patterns of the signs that leave any activation, one count per initialisation."""

    counts: tuple[int, ...]


@observes(SampleWisePatterns, SignPatterns)
def swap(run: Run, settings: SwapSettings) -> Observations:
    """Shows the batch's first images to the network, once per initialisation, in train mode.

    Batch norm normalises over these few images alone, so this forward cannot be shared with the
    minibatch's.
    """
    images = run.batch.images[: settings.images].detach()
    wanted = [one for one in _COUNTED if one.kind in run.wanted]
    counts: dict[type[Observation], list[int]] = {one.kind: [] for one in wanted}
    with run.undisturbed("swap"), torch.no_grad():
        for network, state in _initialisations(run, settings):
            with ExitStack() as hooks:
                found = [hooks.enter_context(one.watch(network, len(images))) for one in wanted]
                # functional_call walks the module tree several times: not for nothing
                functional_call(network, state, (images,)) if state else network(images)
            for one, patterns in zip(wanted, found, strict=True):
                if not (count := patterns.count()):
                    raise UndefinedScoreError(one.missing)
                counts[one.kind].append(count)
    return {one.kind: one.kind(tuple(counts[one.kind])) for one in wanted}


@contextmanager
def counting_relus(network: nn.Module, images: int) -> Iterator[DistinctPatterns]:
    """Yields what counts the patterns of ReLU's bits while the network runs."""
    patterns = DistinctPatterns(images)

    def see(module: nn.Module, x: Tensor, bits: Tensor) -> None:
        if is_swap_relu(module, x):
            patterns.add(bits)

    with watching_relus(network, see):
        yield patterns


class _Counted(NamedTuple):
    """What is counted, how, and why there may be nothing to count."""

    kind: type[SampleWisePatterns] | type[SignPatterns]
    watch: Callable[[nn.Module, int], AbstractContextManager[DistinctPatterns]]
    missing: str


_COUNTED = (
    _Counted(SampleWisePatterns, counting_relus, NO_RELU),
    _Counted(SignPatterns, counting_signs, NO_SIGN),
)


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

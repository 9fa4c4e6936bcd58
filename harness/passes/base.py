"""What a pass is: one way of running a network, and the observations that come out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import nn

from harness import seeds
from harness.passes.settings import Settings
from harness.types import Batch


@dataclass(frozen=True)
class Observation:
    """Base of everything that a pass reports; frozen, so that no proxy can disturb another."""


@dataclass(frozen=True)
class Run:
    """One network on one batch, as every pass receives it.

    Attributes:
        network: The network with its initial weights; a pass leaves it as it found it.
        batch: The inputs.
        settings: Choices that change values.
        stream: Name of the random stream of this run, usually (seed, key). A pass adds its own
            name, so that no pass draws from another's numbers.
        wanted: The observations that somebody asked for; a pass may leave out the others.
        redraw: Builds the same architecture with the initial weights of another repeat, by the
            rule of its space; None for a network that did not come from a space.
        thin: Builds TE-NAS's thin version of the architecture; None if its space has none.
    """

    network: nn.Module
    batch: Batch
    settings: Settings = field(default_factory=Settings)
    stream: tuple[object, ...] = ()
    wanted: frozenset[type[Observation]] = frozenset()
    redraw: Callable[[int], nn.Module] | None = None
    thin: Callable[[], nn.Module | None] | None = None

    def trace(self) -> None:
        """Runs one black image in evaluation mode, for hooks that only look at the structure.

        Call it within ``undisturbed``; the network is in train mode again afterwards.
        """
        self.network.eval()
        self.network(torch.zeros_like(self.batch.images[:1]))
        self.network.train()

    @contextmanager
    def undisturbed(self, name: str) -> Iterator[None]:
        """Runs a pass in train mode on its own random stream and puts everything back.

        Restored are buffers (train-mode batch norm updates its running statistics), the training
        flag and ``requires_grad`` of everything, and the random generators. Parameters need no
        copy: no pass writes to them, passes with other weights go through ``functional_call``.
        In-place activations run out of place, which changes no value but keeps layer outputs.
        """
        modes = [(module, module.training) for module in self.network.modules()]
        grads = [(parameter, parameter.requires_grad) for parameter in self.network.parameters()]
        buffers = [(buffer, buffer.clone()) for buffer in self.network.buffers()]
        in_place = [m for m in self.network.modules() if getattr(m, "inplace", False)]
        device = self.batch.images.device
        try:
            with seeds.torch_stream(name, *self.stream, device=device):
                self.network.train()
                self.network.requires_grad_(True)
                for module in in_place:
                    module.inplace = False  # type: ignore[assignment]
                yield
        finally:
            for module, training in modes:
                module.training = training
            for module in in_place:
                module.inplace = True  # type: ignore[assignment]
            for parameter, requires_grad in grads:
                parameter.requires_grad_(requires_grad)
            with torch.no_grad():
                for buffer, original in buffers:
                    buffer.copy_(original)


Observations = dict[type[Observation], Observation]
Pass = Callable[[Run], Observations]
F = TypeVar("F", bound=Callable[[Run], Any])

PASSES: dict[type[Observation], Pass] = {}
SECTIONS: dict[Pass, str] = {}


def observes(*kinds: type[Observation], settings: str = "") -> Callable[[F], F]:
    """Declares that the decorated pass reports these observations.

    A pass takes a ``Run`` and returns a mapping from observation type to observation, holding at
    least those in ``run.wanted``.

    Args:
        kinds: The observations.
        settings: Name of the section of ``Settings`` that the pass reads, if any.
    """

    def register(function: F) -> F:
        for kind in kinds:
            PASSES[kind] = function
        if settings:
            SECTIONS[function] = settings
        return function

    return register

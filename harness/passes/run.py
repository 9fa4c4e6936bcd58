"""One network on one batch, as every pass receives it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness.core import seeds
from harness.core.types import Batch
from harness.passes.observation import Observation


@dataclass(frozen=True)
class Run:
    """One network on one batch, as every pass receives it.

    Attributes:
        network: The network with its initial weights; a pass leaves it as it found it.
        batch: The inputs.
        stream: Name of the random stream of this run, usually (seed, key). A pass adds its own
            name, so that no pass draws from another's numbers.
        wanted: The observations that somebody asked for; a pass may leave out the others.
        redraw: Builds the same architecture with the initial weights of another repeat, by the
            rule of its space; None for a network that did not come from a space.
        thin: Builds the architecture with one channel and one cell; None if its space cannot.
        theta: Number of parameters that stands for the architecture's size; None: the network's.
        original: The network before its layers were given the weights that it computes from other
            parameters, which is what counts as its size; None if it computes none.
    """

    network: nn.Module
    batch: Batch
    stream: tuple[object, ...] = ()
    wanted: frozenset[type[Observation]] = frozenset()
    redraw: Callable[[int], nn.Module] | None = None
    thin: Callable[[], nn.Module | None] | None = None
    theta: int | None = None
    original: nn.Module | None = None

    @property
    def of_no_space(self) -> bool:
        """Whether the network is the user's own; scores of the spaces' are not to change."""
        return self.redraw is None

    @property
    def given(self) -> nn.Module:
        """The network whose parameters are counted."""
        return self.original or self.network

    def trace(self) -> None:
        """Runs one black image in evaluation mode, for hooks that only look at the structure.

        Call it within ``undisturbed``; the network is in train mode again afterwards.
        """
        with layers_of_transformers():
            _set_mode(self.network, training=False)
            self.network(torch.zeros_like(self.batch.images[:1]))
            _set_mode(self.network, training=True)

    @contextmanager
    def undisturbed(self, name: str) -> Iterator[None]:
        """Runs a pass in train mode on its own random stream and puts everything back.

        Restored are buffers (train-mode batch norm updates its running statistics), the training
        flag and ``requires_grad`` of everything, and the random generators. Parameters need no
        copy: no pass writes to them, passes with other weights go through ``functional_call``.
        In-place activations run out of place, which changes no value but keeps layer outputs.
        """
        modules = list(self.network.modules())  # one walk: a network has hundreds of modules
        modes = [(module, module.training) for module in modules]
        frozen = [p for p in _own(modules, "_parameters") if not p.requires_grad]
        in_place = [module for module in modules if vars(module).get("inplace")]
        buffers = _by_type(_own(modules, "_buffers"))
        originals = [[torch.empty_like(buffer) for buffer in of_type] for of_type in buffers]
        _copy(originals, buffers)
        device = self.batch.images.device
        try:
            with seeds.torch_stream(name, *self.stream, device=device):
                _set_mode(self.network, training=True)
                for parameter in frozen:
                    parameter.requires_grad_(True)
                for module in in_place:
                    module.inplace = False  # type: ignore[assignment]
                yield
        finally:
            for module, training in modes:
                if module.training != training:
                    module.training = training
            for module in in_place:
                module.inplace = True  # type: ignore[assignment]
            for parameter in frozen:
                parameter.requires_grad_(False)
            _copy(buffers, originals)


@contextmanager
def layers_of_transformers() -> Iterator[None]:
    """Keeps torch from running a transformer in one piece, without its layers, in evaluation."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def _own(modules: Sequence[nn.Module], kind: str) -> list[Tensor]:
    """Returns the parameters or buffers that the modules hold themselves."""
    return [t for module in modules for t in getattr(module, kind).values() if t is not None]


def _by_type(tensors: Sequence[Tensor]) -> list[list[Tensor]]:
    """Groups tensors by type: of one type, they are copied by one launch on a GPU."""
    groups: dict[torch.dtype, list[Tensor]] = defaultdict(list)
    for tensor in tensors:
        groups[tensor.dtype].append(tensor)
    return list(groups.values())


@torch.no_grad()
def _copy(to: list[list[Tensor]], source: list[list[Tensor]]) -> None:
    for targets, originals in zip(to, source, strict=True):
        torch._foreach_copy_(targets, originals)


def _set_mode(network: nn.Module, *, training: bool) -> None:
    """Does what ``train()`` and ``eval()`` do.

    They take as long as a small network's forward, because ``nn.Module`` checks every assignment.
    """
    modules = list(network.modules())
    if all(_has_plain_modes(kind) for kind in {type(module) for module in modules}):
        for module in modules:
            object.__setattr__(module, "training", training)
    else:
        network.train() if training else network.eval()


def _has_plain_modes(kind: type[nn.Module]) -> bool:
    return (
        kind.train is nn.Module.train
        and kind.eval is nn.Module.eval
        and kind.__setattr__ is nn.Module.__setattr__
    )

"""Which layers a proxy speaks of, and how they are watched while a network runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import is_dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from harness.passes.transfer import copied

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
NO_WEIGHTS = "the network has no convolution or linear layer"
Norm = nn.BatchNorm1d | nn.BatchNorm2d
Forward = Callable[[Tensor], Tensor]


def weighted_layers(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    """Returns every convolution and linear layer, in the order of ``modules()``.

    These are the layers of snip, grasp, fisher and their kin (zero-cost-nas): classifier and stem
    included; biases, batch norm and transposed convolutions excluded. A shared layer counts once.
    """
    return [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def weights_of(network: nn.Module) -> list[Tensor]:
    """Returns the weight tensors of ``weighted_layers``."""
    return [layer.weight for layer in weighted_layers(network)]


@contextmanager
def watching(
    modules: Sequence[nn.Module],
    see: Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor | None],
) -> Iterator[None]:
    """Calls ``see(module, inputs, output)`` after each call; a returned tensor is the output.

    Inputs are the tensors among the arguments. A module that returns several tensors, in whatever
    it packs them, is seen by its first; one that returns none is not.
    """

    def hook(module: nn.Module, args: tuple[object, ...], kwargs: Any, output: object) -> Any:
        if isinstance(output, Tensor) and not kwargs:
            return see(module, args, output)  # type: ignore[arg-type]
        inputs = tuple(tensors_in((args, kwargs)))
        seen = next(tensors_in(output), None)
        replaced = None if seen is None else see(module, inputs, seen)
        return replaced if isinstance(output, Tensor) else None

    with ExitStack() as hooks:
        for module in modules:
            hooks.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        yield


def tensors_in(nested: object) -> Iterator[Tensor]:
    """Yields the tensors that tuples, lists, mappings and records hold, in their order."""
    if isinstance(nested, Tensor):
        yield nested
        return
    if is_dataclass(nested):
        nested = vars(nested)
    if isinstance(nested, Mapping):
        nested = tuple(nested.values())
    if isinstance(nested, (tuple, list)):
        for part in nested:
            yield from tensors_in(part)


@contextmanager
def without_batch_norm(network: nn.Module) -> Iterator[None]:
    """Makes every batch norm the identity, as SynFlow asks, and puts it back."""
    with replacing_forwards(network, lambda m: _identity if isinstance(m, NORMS) else None):
        yield


@contextmanager
def with_batch_statistics(network: nn.Module) -> Iterator[None]:
    """Makes every batch norm forget its running statistics, which train mode writes in place."""
    with replacing_forwards(
        network, lambda m: partial(_by_batch, m) if isinstance(m, NORMS) else None
    ):
        yield


@contextmanager
def replacing_forwards(
    network: nn.Module, forward_of: Callable[[nn.Module], Forward | None]
) -> Iterator[None]:
    """Gives modules another forward, and puts back what each had.

    Args:
        network: Whose modules.
        forward_of: Returns the forward that a module gets; None leaves it alone.
    """
    before: dict[nn.Module, Forward | None] = {}
    try:
        for module in network.modules():
            forward = forward_of(module)
            if forward is not None:
                before[module] = vars(module).get("forward")
                module.forward = forward
        yield
    finally:
        for module, own in before.items():
            del module.forward
            if own is not None:  # of this one module, not of its class
                module.forward = own


def has_own_forward(module: nn.Module) -> bool:
    """Tells whether somebody gave this one module another forward than its class has."""
    return "forward" in vars(module)


def _identity(input: Tensor) -> Tensor:
    return input


def _by_batch(norm: Norm, input: Tensor) -> Tensor:
    return nn.functional.batch_norm(
        input, None, None, norm.weight, norm.bias, training=True, momentum=0.0, eps=norm.eps
    )


def gaussian_parameters(network: nn.Module) -> dict[str, Tensor]:
    """Draws N(0,1) weights for convolutions and linear layers, as SWAP's and Zen-NAS's scripts do.

    Biases are 0, norms 1 and 0; parameters of other layers keep their values. Nothing is written to
    the network: hand the result to ``functional_call``.

    Returns:
        Parameter name -> tensor, for all parameters.
    """
    return _redrawn_parameters(
        network, lambda weight: torch.randn(weight.shape, dtype=weight.dtype, device="cpu")
    )


def kaiming_parameters(network: nn.Module, mode: str) -> dict[str, Tensor]:
    """Draws normal weights of variance 2 / fan; ``mode`` is ``fan_in`` or ``fan_out``.

    Biases are 0, norms 1 and 0, as ``gaussian_parameters`` has it (He et al. 2015; TE-NAS takes
    fan_out for its kernel and fan_in for its linear regions, AZ-NAS fan_in).
    """

    def draw(weight: Tensor) -> Tensor:
        new = torch.empty(weight.shape, dtype=weight.dtype, device="cpu")
        return nn.init.kaiming_normal_(new, mode=mode, nonlinearity="relu")  # type: ignore[arg-type]

    return _redrawn_parameters(network, draw)


def _redrawn_parameters(network: nn.Module, draw: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """Replaces parameters; weights are drawn on the CPU, so that they are the same everywhere.

    They are drawn in the order of their axes, in whatever layout the network keeps its own.
    """
    kept = {name: parameter.detach() for name, parameter in network.named_parameters()}
    drawn: dict[str, Tensor] = {}
    for prefix, module in network.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear, nn.GroupNorm, *NORMS)):
            continue
        for name, parameter in module.named_parameters(recurse=False):
            full = f"{prefix}.{name}" if prefix else name
            if name == "weight" and isinstance(module, (nn.Conv2d, nn.Linear)):
                drawn[full] = draw(parameter.detach())
            elif name in ("weight", "bias"):
                kept[full] = torch.full_like(parameter, 1.0 if name == "weight" else 0.0)
    if drawn:
        device = kept[next(iter(drawn))].device
        kept |= zip(drawn, copied(list(drawn.values()), device), strict=True)
    return kept


def fresh_buffers(network: nn.Module) -> dict[str, Tensor]:
    """Copies all buffers, with the running statistics of batch norms as in a new network."""
    fresh = {name: buffer.clone() for name, buffer in network.named_buffers()}
    means, variances = list[Tensor](), list[Tensor]()
    for prefix, module in network.named_modules():
        if isinstance(module, NORMS) and module.running_var is not None:
            path = f"{prefix}." if prefix else ""
            means.append(fresh[f"{path}running_mean"])
            variances.append(fresh[f"{path}running_var"])
    if variances:
        torch._foreach_zero_(means)
        torch._foreach_zero_(variances)
        torch._foreach_add_(variances, 1.0)
    return fresh

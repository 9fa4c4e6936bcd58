"""Which layers a proxy speaks of, and how they are watched while a network runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def weighted_layers(network: nn.Module) -> list[nn.Module]:
    """Returns every convolution and linear layer, in the order of ``modules()``.

    These are the layers of snip, grasp, fisher and their kin (zero-cost-nas): classifier and stem
    included; biases, batch norm and transposed convolutions excluded. A shared layer counts once.
    """
    return [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def weights_of(network: nn.Module) -> list[Tensor]:
    """Returns the weight tensors of ``weighted_layers``."""
    return [layer.weight for layer in weighted_layers(network)]  # type: ignore[misc]


@contextmanager
def watching(
    modules: list[nn.Module], see: Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor | None]
) -> Iterator[None]:
    """Calls ``see(module, inputs, output)`` after each call; a returned tensor is the output."""
    with ExitStack() as hooks:
        for module in modules:
            hooks.callback(module.register_forward_hook(see).remove)
        yield


@contextmanager
def without_batch_norm(network: nn.Module) -> Iterator[None]:
    """Makes every batch norm the identity, as SynFlow asks, and puts it back."""
    norms = [module for module in network.modules() if isinstance(module, NORMS)]
    try:
        for norm in norms:
            norm.forward = _identity  # type: ignore[method-assign, assignment]
        yield
    finally:
        for norm in norms:
            del norm.forward


def _identity(x: Tensor) -> Tensor:
    return x


def gaussian_parameters(network: nn.Module) -> dict[str, Tensor]:
    """Draws N(0,1) weights for convolutions and linear layers; biases 0, norms 1 and 0.

    This is the initialisation of SWAP's and Zen-NAS's scripts. Parameters of other layers keep
    their values. Nothing is written to the network: hand the result to ``functional_call``.

    Returns:
        Parameter name -> tensor, for all parameters.
    """
    drawn = {name: parameter.detach() for name, parameter in network.named_parameters()}
    for prefix, module in network.named_modules():
        kind = (nn.Conv2d, nn.Linear, nn.GroupNorm, *NORMS)
        if not isinstance(module, kind):
            continue
        for name, parameter in module.named_parameters(recurse=False):
            full = f"{prefix}.{name}" if prefix else name
            if name == "weight" and isinstance(module, (nn.Conv2d, nn.Linear)):
                drawn[full] = torch.randn_like(parameter)
            elif name in ("weight", "bias"):
                drawn[full] = torch.full_like(parameter, 1.0 if name == "weight" else 0.0)
    return drawn


def fresh_buffers(network: nn.Module) -> dict[str, Tensor]:
    """Copies all buffers, with the running statistics of batch norms as in a new network."""
    fresh = {name: buffer.clone() for name, buffer in network.named_buffers()}
    for prefix, module in network.named_modules():
        if isinstance(module, NORMS) and module.running_var is not None:
            path = f"{prefix}." if prefix else ""
            fresh[f"{path}running_mean"].zero_()
            fresh[f"{path}running_var"].fill_(1.0)
    return fresh

"""Patterns of the signs −1, 0 and 1 that leave activations of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from harness.passes.functional_layers import SIGNED, has_layers_alone, watching_functions
from harness.passes.patterns import DistinctPatterns, flat, is_swap_relu, positive
from harness.passes.weighted_layers import watching

NO_SIGN = "no activation whose output has a sign was seen"
RECTIFIERS = (nn.ReLU, nn.ReLU6)  # they return nothing negative
OTHERS = (
    nn.LeakyReLU,
    nn.PReLU,
    nn.RReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Tanh,
    nn.Softsign,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Hardshrink,
    nn.Softshrink,
    nn.Tanhshrink,
)


@contextmanager
def counting_signs(network: nn.Module, images: int) -> Iterator[DistinctPatterns]:
    """Yields what counts the patterns of signs while the network runs.

    ReLUs count as SWAP counts them, those with four-dimensional input alone; other activations
    whatever their input. A sign is two bits, which one it is above and below 0; of a network of
    ReLUs alone the second is always 0 and is left away.
    """
    modules = [module for module in network.modules() if isinstance(module, RECTIFIERS + OTHERS)]
    signed = (isinstance(m, OTHERS) and not isinstance(m, RECTIFIERS) for m in modules)
    both = not has_layers_alone(network) or any(signed)
    patterns = DistinctPatterns(2 * images if both else images)

    def see(kind: nn.Module, x: Tensor, output: Tensor) -> None:
        if isinstance(kind, nn.ReLU) and not is_swap_relu(kind, x):
            return
        values = flat(output)
        bits = [positive(values), positive(-values)] if both else [positive(values)]
        patterns.add(torch.cat(bits))

    def see_module(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        see(module, inputs[0], output)

    with watching(modules, see_module), watching_functions(network, SIGNED, modules, see):
        yield patterns

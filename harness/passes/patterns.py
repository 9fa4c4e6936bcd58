"""Activation patterns: the sign bits behind ReLUs, packed and counted exactly.

The sign of a post-ReLU value is 1 where the input was positive and 0 elsewhere, so the bits can be
taken from either side of the ReLU. They are taken while the forward runs: a later in-place
operation would change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from harness.passes.functional_layers import RELUS, watching_functions
from harness.passes.weighted_layers import watching

WORD = 63  # bits per signed 64-bit word that keep it non-negative
CHUNK = 21  # a third of a word
SMALL = 16  # up to here all 2^N patterns fit a table of flags
EXACT = 2**24  # integers that a float32 sum holds exactly
NO_RELU = "no ReLU with a four-dimensional input was seen, and other activations have no pattern"


def positive(x: Tensor) -> Tensor:
    """Returns x > 0 as booleans of the same shape, False for NaN."""
    x = x.detach()
    if x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64):
        # The same comparison, but torch writes booleans on the CPU six times as slowly.
        return torch.from_numpy(np.greater(x.numpy(), 0))
    return x > 0


def as_float(bits: Tensor) -> Tensor:
    """Returns 0.0 and 1.0; torch converts bytes nine times as fast as booleans on the CPU."""
    return bits.view(torch.uint8).float()


def pack(bits: Tensor) -> Tensor:
    """Packs the bits of each neuron over the images into integers.

    Args:
        bits: N×V booleans, image by neuron.

    Returns:
        W×V int64 with W = ceil(N / 63); bit i of word w is image 63·w + i.
    """
    words = [_pack_word(chunk) for chunk in torch.split(bits, WORD)]
    return torch.stack(words)


def _pack_word(bits: Tensor) -> Tensor:
    """Packs up to 63 images, 21 at a time."""
    word, *others = (_pack_chunk(chunk) for chunk in torch.split(bits, CHUNK))
    for i, other in enumerate(others, start=1):
        word |= other << (CHUNK * i)
    return word


def _pack_chunk(bits: Tensor) -> Tensor:
    """Multiplies by powers of two: any sum of distinct ones below 2^21 fits a float32 exactly."""
    return (_powers(len(bits), bits.device) @ as_float(bits)).long()


@cache
def _powers(n: int, device: torch.device) -> Tensor:
    return 2.0 ** torch.arange(n, dtype=torch.float32, device=device)


class DistinctPatterns:
    """Counts the distinct patterns of neurons that arrive layer by layer.

    Exact: patterns are compared whole, nothing is hashed. Up to 16 images every possible pattern
    has a flag, so nothing is kept; beyond that the packed words are kept and sorted once.
    """

    def __init__(self, images: int) -> None:
        self._images = images
        self._seen: Tensor | None = None
        self._words: list[Tensor] = []
        self._counted = WeakIdKeyDictionary()

    def add(self, bits: Tensor) -> None:
        """Takes the N×V bits of one layer."""
        if bits in self._counted:
            return
        self._counted[bits] = True
        words = pack(bits)
        if self._images > SMALL:
            self._words.append(words)
            return
        if self._seen is None:
            self._seen = torch.zeros(2**self._images, dtype=torch.bool, device=bits.device)
        self._seen.index_fill_(0, words[0], True)

    def count(self) -> int:
        """Returns the number of distinct patterns so far."""
        if self._images <= SMALL:
            return 0 if self._seen is None else int(self._seen.sum())
        if not self._words:
            return 0
        words = torch.cat(self._words, dim=1)
        # A single word is much faster to sort than columns of words.
        distinct = torch.unique(words[0]) if len(words) == 1 else torch.unique(words, dim=1)
        return int(distinct.shape[-1])


class Agreement:
    """Counts, layer by layer, how many neurons agree between every two images.

    Attributes:
        matrix: N×N float64 integers, K_ij = Σ_v [b_iv = b_jv]; None before the first layer.
        units: Number of neurons.
    """

    def __init__(self) -> None:
        self.matrix: Tensor | None = None
        self.units = 0
        self._counted = WeakIdKeyDictionary()

    def add(self, bits: Tensor) -> None:
        """Takes the N×V bits of one layer."""
        if bits not in self._counted:
            self._counted[bits] = agreement(bits)
        counted: Tensor = self._counted[bits]
        self.matrix = counted if self.matrix is None else self.matrix + counted
        self.units += bits.shape[1]


def agreement(bits: Tensor) -> Tensor:
    """Counts the neurons that are active, or inactive, in both of two images.

    B·Bᵀ + (1−B)(1−B)ᵀ = 2·B·Bᵀ + V − r_i − r_j, where r is the diagonal of B·Bᵀ.

    Args:
        bits: N×V booleans.

    Returns:
        N×N float64 integers, exact.
    """
    both = active_in_both(bits)
    active = both.diagonal()
    return 2 * both + (bits.shape[1] - active[:, None] - active[None, :])


def active_in_both(bits: Tensor) -> Tensor:
    """Returns B·Bᵀ of N×V booleans as float64 integers, exact."""
    # On a CPU torch's product of bytes is wrong for a single column.
    if bits.device.type == "cpu" and bits.shape[1] > 1:
        return product_of_bytes(bits)
    if _multiplies_bytes(bits.device):
        return product_of_padded_bytes(bits)
    return product_of_floats(bits)


@cache
def _multiplies_bytes(device: torch.device) -> bool:
    """Tells whether a GPU does (since Turing)."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 5)


def product_of_bytes(bits: Tensor) -> Tensor:
    """Multiplies without copying; sums are 32-bit integers."""
    rows = bits.contiguous().view(torch.int8)
    return torch._int_mm(rows, rows.T).double()


def product_of_padded_bytes(bits: Tensor) -> Tensor:
    """Does the same for GPUs, which multiply bytes by eights, and more than 16 rows of them."""
    n, units = bits.shape
    images = max(-(-n // 8) * 8, 24)
    if (images, units) != (n, -(-units // 8) * 8):
        bits = torch.nn.functional.pad(bits, (0, -units % 8, 0, images - n))
    return product_of_bytes(bits)[:n, :n]


def product_of_floats(bits: Tensor) -> Tensor:
    """Multiplies where there is no product of bytes; sums stay below 2^24."""
    total = torch.zeros(len(bits), len(bits), dtype=torch.float64, device=bits.device)
    for part in torch.split(bits, EXACT, dim=1):
        values = as_float(part)
        total += values @ values.T
    return total


def is_swap_relu(module: nn.Module, x: Tensor) -> bool:
    """SWAP counts ReLUs with a four-dimensional input, and no other activation."""
    return isinstance(module, nn.ReLU) and x.dim() == 4


def is_nwot_relu(module: nn.Module) -> bool:
    """NASWOT counts every module whose type name contains "ReLU": LeakyReLU, ReLU6 and so on.

    Containers are not counted, though a class called ReLUConvBN would match by name: it holds no
    activation of its own.
    """
    return "ReLU" in type(module).__name__ and not any(module.children())


@contextmanager
def watching_relus(
    network: nn.Module, see: Callable[[nn.Module, Tensor, Tensor], None]
) -> Iterator[None]:
    """Calls ``see(module, input, bits)`` after every call of a ReLU-like layer; bits are N×V.

    Layers are modules, and functions that a network calls instead, ``F.relu(x)``: ``module`` is
    then what would do the same. ReLUs that read the same tensor, as all edges from one node of a
    cell do, show the same bits object: whoever sees it again can tell that there is nothing new.
    """
    known = WeakIdKeyDictionary()

    def report(module: nn.Module, x: Tensor, output: Tensor) -> None:
        if type(module) is not nn.ReLU or x.is_inference():  # of which no version is kept
            see(module, x, positive(flat(output)))
            return
        if x not in known or known[x][0] != x._version:  # new, or written to since
            known[x] = (x._version, positive(flat(output)))
        see(module, x, known[x][1])

    def see_module(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        report(module, inputs[0], output)

    modules = [module for module in network.modules() if is_nwot_relu(module)]
    with watching(modules, see_module), watching_functions(network, RELUS, modules, report):
        yield


def flat(x: Tensor) -> Tensor:
    """Views a tensor as image by neuron without copying; the order of neurons does not matter."""
    if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
        x = x.permute(0, 2, 3, 1)
    return x.reshape(x.shape[0], -1)

"""Activation patterns: the sign bits behind ReLUs, packed and counted exactly.

The sign of a post-ReLU value is 1 where the input was positive and 0 elsewhere, so the bits can be
taken from either side of the ReLU. They are taken while the forward runs: a later in-place
operation would change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WORD = 63  # bits per signed 64-bit word that keep it non-negative
CHUNK = 21  # a third of a word
SMALL = 16  # up to here all 2^N patterns fit a table of flags
EXACT = 2**24  # integers that a float32 sum holds exactly
BLOCK = 2**17  # neurons whose packed bits are compared at once: few calls, and they stay in cache

Words = NDArray[np.uint64]


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

    def add(self, bits: Tensor) -> None:
        """Takes the N×V bits of one layer."""
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

    K_ij = Σ_v [b_iv = b_jv] = B·Bᵀ + (1−B)(1−B)ᵀ: all neurons less those that differ, in exact
    integers. On the CPU bits are packed and compared word by word, elsewhere they are multiplied.
    """

    def __init__(self) -> None:
        self.units = 0
        self._differing: Tensor | None = None
        self._waiting: list[Words] = []

    def add(self, bits: Tensor) -> None:
        """Takes the N×V bits of one layer."""
        self.units += bits.shape[1]
        if bits.device.type != "cpu":
            self._count(differing_by_product(bits))
            return
        self._waiting.append(pack_neurons(bits))
        if 64 * sum(words.shape[1] for words in self._waiting) >= BLOCK:
            self._compare_waiting()

    @property
    def matrix(self) -> Tensor | None:
        """N×N float64 integers; None before the first layer."""
        if self._waiting:
            self._compare_waiting()
        return None if self._differing is None else self.units - self._differing

    def _compare_waiting(self) -> None:
        self._count(torch.from_numpy(differing(np.concatenate(self._waiting, axis=1))))
        self._waiting = []

    def _count(self, differing: Tensor) -> None:
        self._differing = differing if self._differing is None else self._differing + differing


def pack_neurons(bits: Tensor) -> Words:
    """Packs N×V bits into N×ceil(V/64) words; the last one is filled up with zeros."""
    packed = np.packbits(bits.numpy(), axis=1)
    if packed.shape[1] % 8:
        packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    return packed.view(np.uint64)


def differing(words: Words) -> NDArray[np.float64]:
    """Counts the bits that differ between every two rows of words."""
    images = len(words)
    counts = np.zeros((images, images))
    for i in range(images - 1):
        bits = np.bitwise_count(words[i] ^ words[i + 1 :])
        counts[i, i + 1 :] = bits.sum(axis=1, dtype=np.uint32)
    return counts + counts.T


def differing_by_product(bits: Tensor) -> Tensor:
    """Counts the same of N×V booleans as r_i + r_j − 2·B·Bᵀ with row sums r.

    Exact: products are integers below 2^24, sums are float64.
    """
    total = torch.zeros(len(bits), len(bits), dtype=torch.float64, device=bits.device)
    for part in torch.split(bits, EXACT // 2, dim=1):
        values = as_float(part)
        rows = values.sum(dim=1)
        total += rows[:, None] + rows[None, :] - 2 * (values @ values.T)
    return total


def is_swap_relu(module: nn.Module, x: Tensor) -> bool:
    """SWAP counts ``nn.ReLU`` modules with a four-dimensional input, and no other activation."""
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
    """Calls ``see(module, input, bits)`` after every call of a ReLU-like module; bits are N×V."""

    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        see(module, inputs[0], positive(flat(output)))

    with ExitStack() as hooks:
        for module in network.modules():
            if is_nwot_relu(module):
                hooks.callback(module.register_forward_hook(hook).remove)
        yield


def flat(x: Tensor) -> Tensor:
    """Views a tensor as image by neuron without copying; the order of neurons does not matter."""
    if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last):
        x = x.permute(0, 2, 3, 1)
    return x.reshape(x.shape[0], -1)

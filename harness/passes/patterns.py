"""Activation patterns: the sign bits behind ReLUs, packed and counted exactly.

The sign of a post-ReLU value is 1 where the input was positive and 0 elsewhere, so the bits can be
taken from either side of the ReLU. They are taken while the forward runs: a later in-place
operation would change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

WORD = 63  # bits per signed 64-bit word that keep it non-negative
SMALL = 16  # up to here all 2^N patterns fit a table of flags
EXACT = 2**24  # integers that a float32 sum holds exactly


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
    """Packs up to 63 images: first eight to a byte, which moves less memory, then into integers."""
    rows = bits.view(torch.uint8)
    if len(rows) % 8:
        rows = nn.functional.pad(rows, (0, 0, 0, -len(rows) % 8))
    eights = rows.reshape(-1, 8, rows.shape[1])
    packed = eights[:, 0].clone()
    for i in range(1, 8):
        packed |= eights[:, i] << i
    word = packed[0].long()
    for i, byte in enumerate(packed[1:], start=1):
        word |= byte.long() << (8 * i)
    return word


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
        self._seen[words[0]] = True

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
    """Sums, layer by layer, how many neurons agree between every two images.

    K_ij = Σ_v [b_iv = b_jv] = B·Bᵀ + (1−B)(1−B)ᵀ = 2·B·Bᵀ + V − r_i − r_j with row sums r: one
    matrix product instead of two. Exact: products are integers below 2^24, sums are float64.
    """

    def __init__(self) -> None:
        self.matrix: Tensor | None = None
        self.units = 0

    def add(self, bits: Tensor) -> None:
        """Takes the N×V bits of one layer."""
        for part in torch.split(bits, EXACT // 2, dim=1):
            values = part.float()
            rows = values.sum(dim=1)
            agreement = 2 * (values @ values.T) + (part.shape[1] - rows[:, None] - rows[None, :])
            total = agreement.double()
            self.matrix = total if self.matrix is None else self.matrix + total
            self.units += part.shape[1]


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
        see(module, inputs[0], flat(output.detach()) > 0)

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

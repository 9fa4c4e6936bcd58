"""NATS-Bench's size space: one cell of NAS-Bench-201 in networks of different widths.

Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI
2021. Five layers, each of 8, 16, ... or 64 channels: 32,768 architectures. The key is the
benchmark's string, the five widths: ``8:16:24:32:40``. The cell is the best of NAS-Bench-201 on
CIFAR-100's validation images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from harness.core.errors import HarnessError, shown
from harness.inputs.tasks import Task
from harness.spaces.nb201 import EDGES
from harness.spaces.space import Space, spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

WIDTHS = tuple(range(8, 65, 8))
LAYERS = 5  # cell, reduction, cell, reduction, cell
OPERATIONS = (
    "nor_conv_3x3",
    "nor_conv_3x3",
    "nor_conv_3x3",
    "skip_connect",
    "nor_conv_3x3",
    "nor_conv_3x3",
)
"""Of the cell's edges, in the order of ``nb201.EDGES``."""

_WIDTH = f"({'|'.join(map(str, WIDTHS))})"
_FORM = re.compile(":".join([_WIDTH] * LAYERS))


def parse(key: str) -> tuple[int, ...]:
    """Returns the five widths of an architecture.

    Args:
        key: The architecture string or the index, which may have the leading zeros of NATS-Bench's
            file names.

    Raises:
        HarnessError: If the text is not an architecture of the benchmark.
    """
    text = str(key).strip()
    if form := _FORM.fullmatch(text):
        return tuple(map(int, form.groups()))
    if re.fullmatch("[0-9]{1,6}", text) and int(text) < len(_numbered()):
        return parse(_numbered()[int(text)])
    raise HarnessError(
        f"{shown(text)} is not an architecture of NATS-Bench's size space; expected five widths, "
        "multiples of 8 from 8 to 64, in the form 8:16:24:32:40, or the index, a whole number from "
        f"0 to {len(_numbered()) - 1}."
    )


class NatsBenchSize(Space):
    """NATS-Bench's size space: a fixed cell in networks of 32,768 different widths."""

    name = "nats_sss"
    tasks = ("cifar10", "cifar100", "imagenet16_120")
    spellings: ClassVar[Mapping[str, str]] = {
        "architecture string": "8:8:8:8:16",
        "index in NATS-Bench": "1",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 32,768 architecture strings in alphabetical order."""
        return _keys()

    def canonical(self, key: str) -> str:
        """Returns the architecture string."""
        return ":".join(map(str, parse(key)))

    def numbered(self) -> Sequence[str]:
        """Returns all architecture strings in the benchmark's own order, the last width fastest."""
        return _numbered()

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's network."""
        from harness.spaces.networks.nats_sss_network import NatsBenchSizeNetwork

        return NatsBenchSizeNetwork(parse(key), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters of stem, cells, reductions and classifier."""
        widths, outputs = parse(key), self.task(task).outputs
        cells = _cell(widths[0], widths[0]) + _cell(*widths[1:3]) + _cell(*widths[3:])
        reductions = _reduction(*widths[:2]) + _reduction(*widths[2:4])
        head = 2 * widths[-1] + (widths[-1] + 1) * outputs
        return _conv_bn(3, widths[0], 3) + cells + reductions + head


def _cell(c_in: int, c_out: int) -> int:
    convolutions = [
        _conv_bn(c_in if source == 0 else c_out, c_out, 3)
        for (source, _), operation in zip(EDGES, OPERATIONS, strict=True)
        if operation != "skip_connect"
    ]
    skip = 0 if c_in == c_out else _conv_bn(c_in, c_out, 1)
    return sum(convolutions) + skip


def _reduction(c_in: int, c_out: int) -> int:
    return _conv_bn(c_in, c_out, 3) + _conv_bn(c_out, c_out, 3) + c_in * c_out


def _conv_bn(c_in: int, c_out: int, kernel: int) -> int:
    return kernel**2 * c_in * c_out + 2 * c_out


@cache
def _keys() -> tuple[str, ...]:
    return tuple(sorted(_numbered()))


@cache
def _numbered() -> tuple[str, ...]:
    return tuple(":".join(map(str, widths)) for widths in product(WIDTHS, repeat=LAYERS))


spaces.add(NatsBenchSize.name, NatsBenchSize())

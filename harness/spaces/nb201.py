"""NAS-Bench-201: cells of four nodes and six edges, five operations, 15,625 architectures.

Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search",
ICLR 2020. The key is the benchmark's architecture string, one group per node, one entry per
incoming edge: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``.

An architecture also has an index from 0 to 15,624, the same in NAS-Bench-201 and in the topology
space of NATS-Bench: the benchmark shuffled its list with Python's own generator, seeded with 88.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from harness.core.errors import HarnessError, shown, unknown
from harness.inputs.tasks import Task
from harness.spaces import spelling
from harness.spaces.cell_graph import CellGraph
from harness.spaces.space import Space, spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
# (source, target) in the order of the architecture string.
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
# NASLib and NAS-Bench-Suite-Zero number operations otherwise, and order edges by their source.
NASLIB_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
NASLIB_EDGES = tuple(sorted(EDGES))
WIDTHS = (16, 32, 64)
CELLS_PER_STAGE = 5

Operations = tuple[str, ...]


_FORM = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|", re.ASCII)


def parse(key: str) -> Operations:
    """Returns the six operations of an architecture, in the order of ``EDGES``.

    Args:
        key: The architecture string, the index, or NASLib's tuple as text. An index may have the
            leading zeros of NATS-Bench's file names.

    Raises:
        HarnessError: If the text is not an architecture of the benchmark.
    """
    text = str(key).strip()
    if form := _FORM.fullmatch(text):
        for operation in form.groups():
            if operation not in OPERATIONS:
                raise unknown("NAS-Bench-201 operation", operation, OPERATIONS)
        return form.groups()
    if re.fullmatch("[0-9]{1,6}", text) and int(text) < len(_numbered()):
        return parse(_numbered()[int(text)])
    if numbers := spelling.integers(spelling.literal(text)):
        return parse(from_naslib(numbers))
    raise HarnessError(
        f"{shown(text)} is not a NAS-Bench-201 architecture; expected the form "
        f"{_to_key('oooooo')}, NASLib's tuple (4, 0, 3, 1, 4, 3) or the index, a whole number "
        f"from 0 to {len(_numbered()) - 1}."
    )


def to_key(operations: Sequence[str]) -> str:
    """Returns the architecture string of six operations in the order of ``EDGES``."""
    key = _to_key(operations)
    parse(key)
    return key


def from_naslib(numbers: Sequence[int]) -> str:
    """Returns the architecture string of NASLib's tuple.

    Args:
        numbers: Per edge of ``NASLIB_EDGES`` the place of its operation in ``NASLIB_OPERATIONS``.

    Raises:
        HarnessError: If these are not six numbers from 0 to 4.
    """
    names = dict(enumerate(NASLIB_OPERATIONS))
    if len(numbers) != len(EDGES) or any(number not in names for number in numbers):
        raise HarnessError(
            f"{shown(tuple(numbers))} is not a NAS-Bench-201 architecture of NASLib; expected six "
            "numbers from 0 to 4."
        )
    operations = {edge: names[number] for edge, number in zip(NASLIB_EDGES, numbers, strict=True)}
    return to_key([operations[edge] for edge in EDGES])


def to_naslib(operations: Sequence[str]) -> tuple[int, ...]:
    """Returns NASLib's tuple of six operations in the order of ``EDGES``."""
    of_edges = dict(zip(EDGES, operations, strict=True))
    return tuple(NASLIB_OPERATIONS.index(of_edges[edge]) for edge in NASLIB_EDGES)


def _to_key(operations: Sequence[str]) -> str:
    a, b, c, d, e, f = operations
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def graph(operations: Sequence[str]) -> CellGraph:
    """Returns the cell of six operations in the order of ``EDGES``."""
    return CellGraph(
        tuple((*edge, operation) for edge, operation in zip(EDGES, operations, strict=True))
    )


class NasBench201(Space):
    """NAS-Bench-201: cells of four nodes and six edges, five operations, 15,625 architectures."""

    name = "nb201"
    tasks = ("cifar10", "cifar100", "imagenet16_120", "digits")
    spellings: ClassVar[Mapping[str, str]] = {
        "architecture string": "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+"
        "|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        "index in NAS-Bench-201 and NATS-Bench": "0",
        "NASLib's tuple": "(4, 3, 3, 0, 0, 0)",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 15,625 architecture strings in alphabetical order."""
        return _all_keys()

    def canonical(self, key: str) -> str:
        """Returns the architecture string."""
        return _to_key(parse(key))

    def numbered(self) -> Sequence[str]:
        """Returns all architecture strings in the benchmark's own order."""
        return _numbered()

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's stand-alone network: C=16, N=5, affine batch norm."""
        from harness.spaces.networks.nb201_network import Nb201Network

        return Nb201Network(parse(key), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters; 73,306 remain for ten classes when no edge is a convolution."""
        operations, outputs = parse(key), self.task(task).outputs
        fixed = 73_306 + 65 * (outputs - 10)
        return (
            fixed
            + 243_040 * operations.count("nor_conv_3x3")
            + 28_000 * operations.count("nor_conv_1x1")
        )

    def thin(self, key: str) -> nn.Module | None:
        """Builds a single cell of one channel without stem and classifier."""
        from harness.spaces.networks.nb201_network import Nb201Cell

        return Nb201Cell(parse(key), channels=1)

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the cell."""
        return (graph(parse(key)),)

    def isomorphism_class(self, key: str) -> str:
        """Names the function that the cell computes, as the benchmark's API does.

        Skip edges pass their source's expression on and ``none`` cuts a branch off: 6,466 classes.
        """
        expressions = ["0"]
        operations = dict(zip(EDGES, parse(key), strict=True))
        for target in (1, 2, 3):
            terms = []
            for source in range(target):
                operation, expression = operations[source, target], expressions[source]
                if operation == "none" or expression == "#":
                    terms.append("#")
                elif operation == "skip_connect":
                    terms.append(expression)
                else:
                    terms.append(f"({expression})@{operation}")
            expressions.append("+".join(sorted(terms)))
        return expressions[-1]


@cache
def _all_keys() -> tuple[str, ...]:
    return tuple(sorted(_numbered()))


@cache
def _numbered() -> tuple[str, ...]:
    keys = [_to_key(operations) for operations in product(OPERATIONS, repeat=6)]
    random.Random(88).shuffle(keys)  # the seed and the shuffle that the benchmark's authors used
    return tuple(keys)


spaces.add(NasBench201.name, NasBench201())

"""NAS-Bench-201: cells of four nodes and six edges, five operations, 15,625 architectures.

Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search",
ICLR 2020. The key is the benchmark's architecture string, one group per node, one entry per
incoming edge: ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError, unknown
from harness.inputs.tasks import Task
from harness.spaces.space import Space, spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
# (source, target) in the order of the architecture string. NASLib orders edges by source instead.
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
WIDTHS = (16, 32, 64)
CELLS_PER_STAGE = 5

Operations = tuple[str, ...]


def parse(key: str) -> Operations:
    """Returns the six operations of ``key``, in the order of ``EDGES``.

    Raises:
        HarnessError: If the string is not an architecture of the benchmark.
    """
    groups = key.strip().split("+")
    entries = [re.findall(r"([^|~]+)~(\d)", group) for group in groups]
    if [[int(source) for _, source in group] for group in entries] != [[0], [0, 1], [0, 1, 2]]:
        raise HarnessError(
            f"{key!r} is not a NAS-Bench-201 architecture; expected the form {_to_key('oooooo')}."
        )
    operations = tuple(op for group in entries for op, _ in group)
    for operation in operations:
        if operation not in OPERATIONS:
            raise unknown("NAS-Bench-201 operation", operation, OPERATIONS)
    return operations


def to_key(operations: Sequence[str]) -> str:
    """Returns the architecture string of six operations in the order of ``EDGES``."""
    key = _to_key(operations)
    parse(key)
    return key


def _to_key(operations: Sequence[str]) -> str:
    a, b, c, d, e, f = operations
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


@cache
def by_index() -> tuple[str, ...]:
    """Returns all keys in the order of NAS-Bench-201's and NATS-Bench's index.

    The benchmark's authors listed every combination, the last edge running fastest, and shuffled
    the list with Python's own generator and the seed 88.
    """
    keys = [_to_key(operations) for operations in product(OPERATIONS, repeat=len(EDGES))]
    random.Random(88).shuffle(keys)
    return tuple(keys)


def is_dead(key: str) -> bool:
    """Tells whether no path leads from the cell's input to its output (341 architectures)."""
    reached = {0}
    for (source, target), operation in zip(EDGES, parse(key), strict=True):
        if operation != "none" and source in reached:
            reached.add(target)
    return 3 not in reached


class NasBench201(Space):
    """NAS-Bench-201: cells of four nodes and six edges, five operations, 15,625 architectures."""

    name = "nb201"
    tasks = ("cifar10", "cifar100", "imagenet16_120", "digits")

    def keys(self) -> Sequence[str]:
        """Returns all 15,625 architecture strings in alphabetical order."""
        return _all_keys()

    def canonical(self, key: str) -> str:
        """Returns the architecture string, without surrounding blanks."""
        return to_key(parse(key))

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
    return tuple(sorted(_to_key(operations) for operations in product(OPERATIONS, repeat=6)))


spaces.add(NasBench201.name, NasBench201())

"""A cell as a graph: which operation stands on which arc, and what follows from it.

Spaces with operations on vertices (NAS-Bench-101) split every vertex into two, joined by an arc
that carries its operation; arcs that only connect carry none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

NONE = "none"
"""The operation of an arc that carries nothing on."""

Arc = tuple[int, int, str]
"""Source, target and operation; an empty operation only connects."""


@dataclass(frozen=True)
class CellGraph:
    """One cell; every arc leads to a vertex of a larger number.

    Attributes:
        arcs: The arcs in the order of the key.
        inputs: How many vertices, from 0, are inputs; the last vertex is the output.
    """

    arcs: tuple[Arc, ...]
    inputs: int = 1

    @property
    def wiring(self) -> tuple[tuple[int, int], ...]:
        """Where the arcs lead; cells of one wiring differ in operations alone."""
        return tuple((source, target) for source, target, _ in self.arcs)

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations in the order of the arcs."""
        return tuple(operation for *_, operation in self.arcs)

    @cached_property
    def used(self) -> list[Arc]:
        """The arcs that lie on a path from an input to the output, by target."""
        carrying = sorted(arc for arc in self.arcs if arc[2] != NONE)
        reached = set(range(self.inputs))
        for source, target, _ in carrying:
            if source in reached:
                reached.add(target)
        needed = {max(target for _, target, _ in self.arcs)}
        for source, target, _ in sorted(carrying, key=lambda arc: arc[1], reverse=True):
            if target in needed:
                needed.add(source)
        used = [arc for arc in carrying if arc[0] in reached and arc[1] in needed]
        return sorted(used, key=lambda arc: arc[1])

    @property
    def depends_on_input(self) -> bool:
        """Whether a path leads from an input to the output."""
        return bool(self.used)

    @property
    def loose(self) -> bool:
        """Whether a carrying arc lies on no path from an input to the output."""
        return len(self.used) < sum(operation != NONE for operation in self.operations)

    @property
    def depth(self) -> int:
        """The most operations on one path from an input to the output."""
        longest: dict[int, int] = {}
        for source, target, operation in self.used:
            here = longest.get(source, 0) + bool(operation)
            longest[target] = max(longest.get(target, 0), here)
        return max(longest.values(), default=0)

    @property
    def width(self) -> int:
        """The most operations side by side, none of which comes before another.

        It is the number of operations less the largest matching of operations with later ones
        (Dilworth, "A decomposition theorem for partially ordered sets", 1950).
        """
        before: dict[int, set[int]] = {}
        later: list[set[int]] = [set() for _ in self.used]
        for place, (source, target, operation) in enumerate(self.used):
            passed = before.setdefault(source, set())
            for earlier in passed if operation else ():
                later[earlier].add(place)
            before.setdefault(target, set()).update(passed | ({place} if operation else set()))
        return sum(bool(operation) for *_, operation in self.used) - _matched(later)

    def count(self, belongs: Callable[[str], bool]) -> int:
        """Counts the operations of a kind, used or not."""
        return sum(map(belongs, filter(None, self.operations)))


def _matched(later: list[set[int]]) -> int:
    """Returns the size of the largest matching of places with later ones, by augmenting paths."""
    partner: dict[int, int] = {}

    def augment(place: int, tried: set[int]) -> bool:
        for other in later[place] - tried:
            tried.add(other)
            if other not in partner or augment(partner[other], tried):
                partner[other] = place
                return True
        return False

    return sum(augment(place, set()) for place in range(len(later)))


def is_convolution(operation: str) -> bool:
    """Tells convolutions from other operations, in every space's names."""
    return "conv" in operation


def is_pooling(operation: str) -> bool:
    """Tells poolings from other operations."""
    return "pool" in operation


def is_skip(operation: str) -> bool:
    """Tells skip connections from other operations."""
    return "skip" in operation

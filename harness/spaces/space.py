"""What every search space offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from harness.core import seeds
from harness.core.errors import HarnessError, shown, unknown
from harness.core.limits import MOST_ARCHITECTURES, whole
from harness.core.registry import Registry
from harness.core.typed import checked
from harness.inputs.tasks import Task, tasks
from harness.spaces.cell_graph import CellGraph

if TYPE_CHECKING:  # the command line knows spaces and draws keys without torch
    import pyarrow as pa
    from torch import nn


class Space(ABC):
    """A search space: architectures with a canonical key and the network that each stands for.

    A new space is one file: a subclass with ``name``, ``tasks``, ``keys``, ``network`` and, if a
    closed form is known, ``count_params``; instantiate it once and add it to ``spaces``.

    Attributes:
        spellings: The forms in which ``canonical`` takes a key, each with an example; the examples
            are one architecture, the first is its canonical key.
    """

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    spellings: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Lets every space read keys that are text of a sensible length and nothing else."""
        super().__init_subclass__()
        if "canonical" in vars(cls):
            setattr(cls, "canonical", _of_text(cls.canonical))  # noqa: B010 - a class's own method

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """Returns the canonical keys of all architectures that can be drawn, in a fixed order."""

    @abstractmethod
    def canonical(self, key: str) -> str:
        """Returns the canonical form of ``key``, which may be written in any of ``spellings``.

        Raises:
            HarnessError: If ``key`` is not an architecture of this space.
        """

    def numbered(self) -> Sequence[str]:
        """Returns the canonical keys in the order of their indices.

        This is the benchmark's own enumeration; a space without one counts through ``keys``.

        Raises:
            HarnessError: If the architectures are not numbered.
        """
        try:
            return self.keys()
        except HarnessError as error:
            raise HarnessError(
                f"The architectures of {self.name} have no indices; name one by its key."
            ) from error

    def index(self, key: str) -> int:
        """Returns the index of an architecture, counted from 0.

        Raises:
            HarnessError: If there is no such architecture, or the space numbers none.
        """
        return self.numbered().index(self.canonical(key))

    @checked
    def key_at(self, index: int) -> str:
        """Returns the canonical key of the architecture with this index.

        Raises:
            HarnessError: If there is no such index, or the space numbers no architecture.
        """
        keys = self.numbered()
        if not 0 <= index < len(keys):
            raise HarnessError(
                f"{shown(index)} is no index of {self.name}, whose {len(keys):,} architectures are "
                f"numbered from 0 to {len(keys) - 1}."
            )
        return keys[index]

    @abstractmethod
    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's network; weights come from torch's global generator."""

    @abstractmethod
    def count_params(self, key: str, task: str) -> int:
        """Returns the number of trainable parameters, without building the network."""

    def theta_params(self, key: str, task: str) -> int:
        """Returns the number of parameters that stands for the architecture's size (SWAP's Θ)."""
        return self.count_params(key, task)

    def thin(self, key: str) -> nn.Module | None:
        """Builds the network with one channel and one cell; None if there is none."""
        self.canonical(key)
        return None

    def isomorphism_class(self, key: str) -> str:
        """Returns a name shared by the architectures that compute the same function."""
        return self.canonical(key)

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the architecture's cells as graphs of operations.

        Raises:
            HarnessError: If this space does not tell.
        """
        raise HarnessError(
            f"{self.name} does not tell of which operations {shown(key)} consists; its class lacks "
            "the method cells."
        )

    def benchmark_key(self, key: str) -> str:
        """Returns the key of what the benchmark trained for this architecture.

        It differs from the canonical key only where isomorphic architectures share one training.
        """
        return self.canonical(key)

    @checked
    def sample(
        self,
        n: int,
        seed: int,
        *,
        pool: Collection[str] | None = None,
        replace: bool = False,
        one_per_class: bool = False,
    ) -> list[str]:
        """Draws architectures uniformly; the first k of a larger draw are the smaller draw.

        Args:
            n: How many to draw, at least 1, at most ``MOST_ARCHITECTURES``.
            seed: Which draw.
            pool: Keys to draw from instead of the whole space, for example those with ground
                truth; its order does not matter.
            replace: Draw with replacement.
            one_per_class: Keep only the first drawn of each isomorphism class.

        Returns:
            ``n`` canonical keys.

        Raises:
            HarnessError: If n is no such number, or larger than the pool when drawing without
                replacement.
        """
        n = whole("n", n, 1, MOST_ARCHITECTURES)
        available = self.listed() if pool is None else in_order(pool)
        random = seeds.numpy_stream("sample", self.name, seed)
        if replace:
            chosen: list[str] = available.take(random.integers(len(available), size=n)).to_pylist()
            return chosen
        order = random.permutation(len(available))
        drawn: Iterator[str] = (available[i].as_py() for i in order)
        if one_per_class:
            drawn = self._firsts(drawn)
        found = list(islice(drawn, n))
        if n > len(found):
            raise HarnessError(
                f"n={n} architectures were asked for, but only {len(found)} can be drawn from "
                f"{self.name} without replacement; lower n."
            )
        return found

    def sample_labelled(self, n: int, seed: int) -> list[str]:
        """Draws as a benchmark suite did that drew spellings instead of architectures.

        Raises:
            HarnessError: If nobody drew from this space so.
        """
        raise HarnessError(
            "sample=labelled is NAS-Bench-Suite-Zero's draw of labelled matrices, which only nb101 "
            f"has; for {self.name} leave sample=uniform."
        )

    def listed(self) -> pa.StringArray:
        """Returns all keys in ascending order, as an array: a space may have many."""
        return in_order(self.keys())

    def _firsts(self, keys: Iterable[str]) -> Iterator[str]:
        """Yields the first key of every isomorphism class."""
        seen: set[str] = set()
        for key in keys:
            name = self.isomorphism_class(key)
            if name not in seen:
                seen.add(name)
                yield key

    @checked
    def build(self, key: str, task: str, seed: int = 0) -> nn.Module:
        """Builds the network of ``key`` for ``task`` with the weights of ``seed``.

        The weights depend on the seed and the key alone, never on what was built before.

        Raises:
            HarnessError: If the key or the task is unknown to this space.
        """
        key, spec = self.canonical(key), self.task(task)
        with seeds.torch_stream("weights", seed, key):
            return self.network(key, spec)

    @checked
    def task(self, name: str) -> Task:
        """Returns the task called ``name``.

        Raises:
            HarnessError: If this space has no such task.
        """
        if name not in self.tasks:
            raise unknown(f"task of {self.name}", name, self.tasks)
        return tasks.get(name)


LONGEST_KEY = 10_000
"""Characters; the longest spelling of any space, a matrix with its operations, has hundreds."""


def _of_text(canonical: Callable[[Any, str], str]) -> Callable[[Any, str], str]:
    @wraps(canonical)
    def read(self: Space, key: str) -> str:
        if not isinstance(key, str) or len(key) > LONGEST_KEY:
            raise HarnessError(
                f"{shown(key)} is no key of {self.name}; a key is text of at most "
                f"{LONGEST_KEY:,} characters."
            )
        return canonical(self, key)

    return read


def in_order(keys: Collection[str]) -> pa.StringArray:
    """Returns keys in ascending order; those of a table are in order already.

    Raises:
        HarnessError: If a key is no text.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        array = keys if isinstance(keys, pa.ChunkedArray) else pa.array(keys, pa.string())
    except (pa.ArrowException, TypeError) as error:
        raise HarnessError(f"The keys to draw from must be text ({error}).") from error
    if len(array) < 2 or pc.all(pc.less_equal(array[:-1], array[1:])).as_py():
        return array
    return array.take(pc.sort_indices(array))


spaces: Registry[Space] = Registry("search space", home="harness.spaces")

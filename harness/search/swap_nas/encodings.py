"""Architectures as matrices, and the ways in which evolution changes them.

SWAP-NAS (Peng et al., ICLR 2024, appendix C.1) writes a cell as an upper triangular adjacency
matrix: entry (i, j) is the number of the operation from node i to node j, 0 where there is none.
An operation mutation changes one number, a connectivity mutation moves one number to another
place, and crossover exchanges a column, all that enters one node. Which of the possible changes is
made is not said there; here all are equally likely. Every change leads to an architecture of the
space, never to one that has to be repaired.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Codes = NDArray[np.int64]
"""Matrix of operation numbers, cells×nodes×nodes; for module sequences 1×1×modules."""


class Encoding(ABC):
    """Keys to matrices and back, random architectures, and all changes of an architecture."""

    @abstractmethod
    def matrix(self, key: str) -> Codes:
        """Returns the matrix of an architecture."""

    @abstractmethod
    def key(self, matrix: Codes) -> str:
        """Returns the canonical key of a matrix that is an architecture of the space."""

    @abstractmethod
    def random(self, random: np.random.Generator) -> str:
        """Draws an architecture uniformly."""

    @abstractmethod
    def operation_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every matrix in which one operation is another one."""

    @abstractmethod
    def connection_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every matrix in which one connection is another one; there may be none."""

    @abstractmethod
    def exchanges(self, a: Codes, b: Codes) -> list[tuple[Codes, Codes]]:
        """Returns the pairs of children that differ from ``a`` and ``b`` in one column each."""

    def mutate_operation(self, key: str, random: np.random.Generator) -> str:
        """Changes one operation."""
        return self.key(_one_of(self.operation_mutants(self.matrix(key)), random))

    def mutate_connection(self, key: str, random: np.random.Generator) -> str:
        """Changes one connection, or one operation where no connection can change."""
        matrix = self.matrix(key)
        mutants = self.connection_mutants(matrix) or self.operation_mutants(matrix)
        return self.key(_one_of(mutants, random))

    def crossover(self, a: str, b: str, random: np.random.Generator) -> tuple[str, str]:
        """Exchanges one column in which the parents differ; equal parents stay as they are."""
        pairs = self.exchanges(self.matrix(a), self.matrix(b))
        if not pairs:
            return a, b
        first, second = _one_of(pairs, random)
        return self.key(first), self.key(second)


def _one_of(items: list[T], random: np.random.Generator) -> T:
    return items[int(random.integers(len(items)))]


class CompleteGraph(Encoding):
    """Cells with an operation on each of the six edges between four nodes, 0 meaning none.

    As every edge has a place of its own, a connectivity mutation exchanges two different entries
    of a column: an operation moves to another source, and what was there takes its place.

    Args:
        codes: Number of operations, none included.
        parse: Returns the six operation numbers of a key, in the order of ``EDGES``.
        to_key: Returns the key of six operation numbers.
    """

    EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))

    def __init__(
        self,
        codes: int,
        parse: Callable[[str], list[int]],
        to_key: Callable[[list[int]], str],
    ) -> None:
        self.codes = codes
        self._parse = parse
        self._to_key = to_key

    def matrix(self, key: str) -> Codes:
        """Returns the 1×4×4 matrix of a cell."""
        matrix = np.zeros((1, 4, 4), dtype=np.int64)
        for (source, target), code in zip(self.EDGES, self._parse(key), strict=True):
            matrix[0, source, target] = code
        return matrix

    def key(self, matrix: Codes) -> str:
        """Returns the key of a 1×4×4 matrix."""
        return self._to_key([int(matrix[0, source, target]) for source, target in self.EDGES])

    def random(self, random: np.random.Generator) -> str:
        """Draws an operation for every edge."""
        return self._to_key(random.integers(self.codes, size=len(self.EDGES)).tolist())

    def operation_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every cell with one other operation; none is an operation here."""
        return [
            with_entries(matrix, {(0, *edge): code})
            for edge in self.EDGES
            for code in range(self.codes)
            if code != matrix[0][edge]
        ]

    def connection_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every cell with two different entries of one column exchanged."""
        cell = matrix[0]
        return [
            with_entries(matrix, {(0, i, j): cell[k, j], (0, k, j): cell[i, j]})
            for j in (2, 3)
            for i in range(j)
            for k in range(i + 1, j)
            if cell[i, j] != cell[k, j]
        ]

    def exchanges(self, a: Codes, b: Codes) -> list[tuple[Codes, Codes]]:
        """Exchanges what enters one node."""
        return exchanged_columns(a, b, columns=(1, 2, 3))


class ModuleSequence(Encoding):
    """Sequences of modules, one digit each: a row of numbers with 0 where it is shorter.

    A sequence has no connections to choose: its connectivity mutation takes one module out or puts
    one in. Crossover exchanges the modules at one position.

    Args:
        codes: Number of module kinds; digits count from 1.
        longest: Length of the longest sequence.
        keys: Digits -> key of every architecture; others do not exist.
    """

    def __init__(self, codes: int, longest: int, keys: dict[str, str]) -> None:
        self.codes = codes
        self.longest = longest
        self._keys = keys
        self._digits = {key: digits for digits, key in keys.items()}

    def matrix(self, key: str) -> Codes:
        """Returns the digits as 1×1×longest numbers."""
        return self._padded([int(digit) for digit in self._digits[key]])

    def key(self, matrix: Codes) -> str:
        """Returns the key of 1×1×longest numbers."""
        return self._keys[_digits_of(matrix)]

    def random(self, random: np.random.Generator) -> str:
        """Draws one of all architectures."""
        return _one_of(list(self._keys.values()), random)

    def operation_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every sequence with one other module."""
        digits = matrix[matrix > 0].tolist()
        choices = product(range(len(digits)), range(1, self.codes + 1))
        return self._existing(
            [*digits[:i], code, *digits[i + 1 :]] for i, code in choices if code != digits[i]
        )

    def connection_mutants(self, matrix: Codes) -> list[Codes]:
        """Returns every sequence with one module less or one more."""
        digits = matrix[matrix > 0].tolist()
        shorter = [digits[:i] + digits[i + 1 :] for i in range(len(digits))]
        choices = product(range(len(digits) + 1), range(1, self.codes + 1))
        longer = [[*digits[:i], code, *digits[i:]] for i, code in choices]
        return self._existing([*shorter, *longer])

    def exchanges(self, a: Codes, b: Codes) -> list[tuple[Codes, Codes]]:
        """Exchanges the modules at one position that both have."""
        both = np.flatnonzero((a[0, 0] > 0) & (b[0, 0] > 0))
        return [
            (first, second)
            for first, second in exchanged_columns(a, b, columns=both.tolist())
            if _digits_of(first) in self._keys and _digits_of(second) in self._keys
        ]

    def _existing(self, sequences: Iterable[list[int]]) -> list[Codes]:
        distinct = {"".join(map(str, digits)): digits for digits in sequences}
        return [self._padded(digits) for text, digits in distinct.items() if text in self._keys]

    def _padded(self, digits: list[int]) -> Codes:
        padded = [*digits, *[0] * (self.longest - len(digits))]
        return np.array(padded, dtype=np.int64).reshape(1, 1, -1)


def _digits_of(matrix: Codes) -> str:
    return "".join(map(str, matrix[matrix > 0].tolist()))


def with_entries(matrix: Codes, entries: dict[tuple[int, int, int], int]) -> Codes:
    """Returns a copy of ``matrix`` with some entries set."""
    changed = matrix.copy()
    for place, code in entries.items():
        changed[place] = code
    return changed


def exchanged_columns(a: Codes, b: Codes, columns: Sequence[int]) -> list[tuple[Codes, Codes]]:
    """Returns both with one column exchanged, for every cell and column in which they differ."""
    pairs = []
    for cell, column in product(range(len(a)), columns):
        place = (cell, slice(None), column)
        if (a[place] != b[place]).any():
            first, second = a.copy(), b.copy()
            first[place], second[place] = b[place], a[place]
            pairs.append((first, second))
    return pairs

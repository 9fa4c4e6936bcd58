"""What NASLib calls spaces, tasks and architectures, and what they are called here.

NASLib is the library of NAS-Bench-Suite-Zero; its branch ``zerocost`` is meant throughout. There an
architecture is a tuple of numbers: ``graph.set_spec`` takes it, ``graph.get_hash`` returns it, and
as text it is the key of tables.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.errors import HarnessError, shown, unknown
from harness.core.typed import checked
from harness.spaces import nb101, nb101_cells, nb201, nb301, spelling, tnb101
from harness.spaces.space import spaces

SPACES = {
    "nb101": "nasbench101",
    "nb201": "nasbench201",
    "nb301": "nasbench301",
    "tnb101_micro": "transbench101_micro",
    "tnb101_macro": "transbench101_macro",
}
TASKS = {"imagenet16_120": "ImageNet16-120"}
"""The tasks that NASLib calls otherwise."""


def naslib_space(space: str) -> str:
    """Returns what NASLib calls a search space.

    Raises:
        HarnessError: If NASLib has none of this name.
    """
    if space not in SPACES:
        raise unknown("search space that NASLib has too", space, SPACES)
    return SPACES[space]


def naslib_task(task: str) -> str:
    """Returns what NASLib calls a task."""
    return TASKS.get(task, task)


def space_of(name: str) -> str:
    """Returns the search space that NASLib calls by a name.

    Raises:
        HarnessError: If it is none of ours.
    """
    ours = {theirs: space for space, theirs in SPACES.items()}
    if name not in ours:
        raise unknown("search space of NASLib", name, ours)
    return ours[name]


@checked
def to_naslib(space: str, key: str) -> tuple[Any, ...]:
    """Returns the tuple of an architecture.

    Args:
        space: Search space.
        key: The architecture, in any form that the space reads.

    Returns:
        Whole numbers: six per cell of nb201 and tnb101_micro, six of tnb101_macro, padded with
        zeros, 56 of nb101, which is pruned and padded to seven vertices; two cells of eight
        (source, operation) pairs of nb301.

    Raises:
        HarnessError: If NASLib has no such space, or the space no such architecture.
    """
    naslib_space(space)
    if space == "nb101":
        return nb101_cells.to_naslib(nb101.parse(key))
    if space == "nb201":
        return nb201.to_naslib(nb201.parse(key))
    if space == "nb301":
        found = spelling.literal(nb301.to_key(nb301.parse(key)))
        assert isinstance(found, tuple)
        return found
    if space == "tnb101_micro":
        return tuple(map(int, tnb101.parse_micro(key)))
    return tuple(map(int, tnb101.parse_macro(key).ljust(6, "0")))


@checked
def to_key(space: str, architecture: object) -> str:
    """Returns the canonical key of an architecture of NASLib's.

    Args:
        space: Search space, as it is called here.
        architecture: Its tuple, a list or an array; that as text; or matrix and operations of
            nb101 in a mapping with ``matrix`` and ``ops``.

    Raises:
        HarnessError: If the space has no such architecture.
    """
    try:
        if isinstance(architecture, Mapping):
            return nb101.from_spec(architecture["matrix"], architecture["ops"])
        plain = _plain(architecture)
    except (KeyError, TypeError, ValueError) as error:
        raise HarnessError(
            f"{shown(architecture)} is not an architecture of NASLib; expected a tuple of numbers, "
            "or matrix and ops."
        ) from error
    return spaces.get(space).canonical(str(plain))


def _plain(value: Any) -> Any:
    """Returns numbers of numpy, lists and arrays as Python's own numbers and tuples."""
    if isinstance(value, str):
        return value
    return tuple(map(_plain, value)) if isinstance(value, Iterable) else operator.index(value)

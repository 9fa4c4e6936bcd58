"""Settings by type: whoever takes a settings record declares it, and configuration follows.

    @score_settings("zen")
    @dataclass(frozen=True)
    class ZenSettings:
        gamma: float = 1e-2

makes ``zen.gamma`` a key of the command line, with its default, its type and its help. A pass or a
proxy that takes a ``ZenSettings`` is run with it, and its scores are fingerprinted by it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.core.registry import Registry
from harness.core.typed import SECTION, typed

S = TypeVar("S")


def section(name: str) -> Callable[[type[S]], type[S]]:
    """Declares a frozen dataclass as the section ``name.*`` of a configuration.

    From then on it refuses values of another type than its fields'.

    Args:
        name: The section; empty for keys at the top level.

    Raises:
        TypeError: If a plug-in's record has a field without a default, or of a type that a command
            line cannot give.
    """

    def declare(kind: type[S]) -> type[S]:
        setattr(kind, SECTION, name)
        if not kind.__module__.startswith("harness."):
            _check(kind)  # where it is loaded, not in every run
        return typed(kind)

    return declare


def _check(kind: type[Any]) -> None:
    kind()
    for key, hint in get_type_hints(kind).items():
        if not _is_plain(hint):
            raise TypeError(f"{kind.__name__}.{key} is no number, text, list or mapping of these")


def _is_plain(hint: Any) -> bool:
    if get_origin(hint) in (list, dict, tuple, Union, UnionType):
        return all(map(_is_plain, get_args(hint)))
    return hint in (bool, int, float, str, Path, Any, NoneType, ...)


def section_name(kind: type[Any]) -> str:
    """Returns the section that a settings record is."""
    return str(getattr(kind, SECTION))


def is_section(kind: object) -> bool:
    """Tells whether a type was declared as a section."""
    return isinstance(kind, type) and SECTION in vars(kind)


score_sections: Registry[type[Any]] = Registry(
    "section of settings", home="harness.passes.settings"
)
"""The settings of all passes and proxies; ours lie in a module that imports quickly."""


def score_settings(name: str) -> Callable[[type[S]], type[S]]:
    """Declares a frozen dataclass as the settings of a pass or a proxy."""

    def declare(kind: type[S]) -> type[S]:
        score_sections.add(name, section(name)(kind))
        return kind

    return declare


@dataclass(frozen=True, init=False)
class Settings:
    """The settings of passes and proxies, by type; what is not given has its defaults.

    Example:
        ``Settings(SwapSettings(images=8), ZenSettings(gamma=0.1))``
    """

    given: tuple[Any, ...]

    def __init__(self, *given: object) -> None:
        object.__setattr__(self, "given", given)

    def of(self, kind: type[S]) -> S:
        """Returns the settings of one type."""
        for one in self.given:
            if type(one) is kind:
                found: S = one
                return found
        return kind()

    def __iter__(self) -> Iterator[object]:
        return iter(self.given)

    def described(self, kinds: Iterable[type[Any]]) -> dict[str, dict[str, Any]]:
        """Returns section -> key -> value of some types, for records and fingerprints."""
        return {section_name(kind): asdict(self.of(kind)) for kind in sorted(kinds, key=str)}


@dataclass(frozen=True)
class Place:
    """Where settings are to hold; a record with a method ``at(place)`` resolves what depends on it.

    Attributes:
        space: Search space.
        task: Task.
        batch_size: Images of the batch.
        sizes: Returns the sizes of a sample of the space's networks, in parameters.
    """

    space: str
    task: str
    batch_size: int
    sizes: Callable[[], list[int]]


def at(settings: Settings, kinds: Iterable[type[Any]], place: Place) -> Settings:
    """Returns the settings of some types as they hold in one place.

    Raises:
        HarnessError: If a value makes no sense there.
    """
    chosen = [settings.of(kind) for kind in sorted(kinds, key=section_name)]
    return Settings(*(one.at(place) if hasattr(one, "at") else one for one in chosen))


def comments(kind: type[Any]) -> dict[str, str]:
    """Returns field -> what the docstrings of a record and its bases say of it."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        found |= described_in(vars(one).get("__doc__") or "", "Attributes")
    return {field.name: found.get(field.name, "") for field in fields(kind)}


def described_in(doc: str, heading: str) -> dict[str, str]:
    """Returns name -> words of one section of a docstring, for example ``Args``."""
    _, _, listed = inspect.cleandoc(doc).partition(f"{heading}:\n")
    found: dict[str, str] = {}
    name = ""
    for line in listed.splitlines():
        if match := re.match(r"    (\w+): (.*)", line):
            name = match[1]
            found[name] = match[2]
        elif line.startswith("        ") and name:
            found[name] += " " + line.strip()
        elif line.strip():
            break
    return found

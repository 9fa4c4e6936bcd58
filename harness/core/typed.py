"""Records whose values have the types of their fields, whoever makes them.

The command line's values are converted before; a caller in Python may give anything, and what is
no number would only be noticed where it is computed with.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Iterable, Mapping
from functools import wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.core.errors import HarnessError, shown

R = TypeVar("R")

SECTION = "__section__"

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "text",
    Path: "a path",
    NoneType: "null",
    list: "a list",
    tuple: "a list",
    dict: "keys with values",
}


def full_key(kind: type[Any], name: str) -> str:
    """Returns the key of a record's field as the command line writes it."""
    return f"{getattr(kind, SECTION, '')}.{name}".lstrip(".")


def typed(kind: type[R]) -> type[R]:
    """Makes a dataclass refuse values of another type than its fields', before its own rules.

    Numbers of numpy become Python's own, so that a record can be written as JSON.
    """
    initialise = kind.__init__
    signature = inspect.signature(initialise)
    hints: dict[str, Any] = {}

    @wraps(initialise)
    def checked(self: R, *args: Any, **kwargs: Any) -> None:
        hints.update({} if hints else get_type_hints(kind))
        given = signature.bind(self, *args, **kwargs).arguments
        values = {
            name: _value(full_key(kind, name), hints[name], value)
            for name, value in list(given.items())[1:]
        }
        initialise(self, **values)

    setattr(kind, "__init__", checked)  # noqa: B010 - mypy knows no other way
    return kind


def _value(key: str, hint: Any, value: Any) -> Any:
    """Returns a value as a field has it.

    Raises:
        HarnessError: If it is of another type.
    """
    kinds = list(get_args(hint)) if get_origin(hint) in (Union, UnionType) else [hint]
    for kind in kinds:
        fits, found = _as(get_origin(kind) or kind, value)
        if fits:
            return found
    words = " or ".join(_WORDS.get(get_origin(kind) or kind, str(kind)) for kind in kinds)
    raise HarnessError(f"{key}={shown(value)} is not possible; it must be {words}.")


def _as(kind: Any, value: Any) -> tuple[bool, Any]:
    """Tells whether a value is of a kind, and returns it as that."""
    number = not isinstance(value, bool)
    if kind is int:
        whole = isinstance(value, Integral) and number
        return whole, operator.index(value) if whole else value
    if kind is float:
        fits = isinstance(value, Real) and number and math.isfinite(value)
        return fits, value if isinstance(value, int) or not fits else float(value)
    if kind is Path:
        return isinstance(value, (str, PathLike)), value
    if kind in (list, tuple):
        return isinstance(value, Iterable) and not isinstance(value, (str, bytes)), value
    if kind is dict:
        return isinstance(value, Mapping), value
    return kind is Any or not isinstance(kind, type) or isinstance(value, kind), value

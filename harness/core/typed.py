"""Records and functions whose values have the types that they declare, whoever gives them.

The command line's values are converted before; a caller in Python may give anything, and what is
no number would only be noticed where it is computed with.
"""

from __future__ import annotations

import inspect
import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial, wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from harness.core.errors import HarnessError, shown

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

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
    Mapping: "keys with values",
    Iterable: "a list",
    Sequence: "a list",
}


def full_key(kind: type[Any], name: str) -> str:
    """Returns the key of a record's field as the command line writes it."""
    return f"{getattr(kind, SECTION, '')}.{name}".lstrip(".")


def typed(kind: type[R]) -> type[R]:
    """Makes a dataclass refuse values of another type than its fields', before its own rules.

    Numbers of numpy become Python's own, so that a record can be written as JSON.
    """
    initialise = _checked(kind.__init__, kind.__module__, partial(full_key, kind))
    setattr(kind, "__init__", initialise)  # noqa: B010 - mypy knows no other way
    return kind


def checked(function: F) -> F:
    """Makes a function refuse arguments of another type than its parameters', as a sentence."""
    return cast(F, _checked(function, function.__module__, str))


def _checked(
    function: Callable[..., Any], module: str, written: Callable[[str], str]
) -> Callable[..., Any]:
    """Wraps a function; ``written`` gives a parameter's name as the user knows it."""
    signature = inspect.signature(function)
    hints: dict[str, Any] = {}

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not hints:
            hints.update(_hints(function, module))
        bound = signature.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if name in hints:
                bound.arguments[name] = _value(written(name), hints[name], value)
        return function(*bound.args, **bound.kwargs)

    return call


def _hints(function: Callable[..., Any], module: str) -> dict[str, Any]:
    """Returns the types of parameters; what only a type checker imports has none."""
    names = vars(sys.modules[module])
    found: dict[str, Any] = {}
    for name, annotation in function.__annotations__.items():
        with suppress(NameError):
            one = SimpleNamespace(__annotations__={name: annotation})
            found |= get_type_hints(one, names)
    found.pop("return", None)
    return found


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
    words = " or ".join(dict.fromkeys(_words(get_origin(kind) or kind) for kind in kinds))
    raise HarnessError(f"{key}={shown(value)} is not possible; it must be {words}.")


def _words(kind: Any) -> str:
    return _WORDS.get(kind) or f"of type {getattr(kind, '__name__', kind)}"


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

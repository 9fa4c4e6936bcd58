"""The names of all proxies without what computes them, which takes seconds to import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from harness.proxies.contract import populations, proxies


def proxy_names() -> list[str]:
    """Returns the names of all proxies: those registered, or as our files declare them.

    A plug-in that registers one has imported ours; load the plug-ins first.
    """
    if proxies.loaded or populations.loaded:
        return [*proxies.names(), *populations.names()]
    return sorted(name for path in Path(__file__).parent.glob("*.py") for name in _declared(path))


def _declared(path: Path) -> Iterator[str]:
    """Yields the functions of a file that ``@proxy(…)`` or ``@population(…)`` stands above."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node in (one for one in body if isinstance(one, ast.FunctionDef)):
        decorators = [ast.unparse(one).partition("(")[0] for one in node.decorator_list]
        if {"proxy", "population"} & set(decorators):
            yield node.name

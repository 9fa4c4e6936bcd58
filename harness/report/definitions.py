"""What each proxy is, from the docstrings of the code that computes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from harness.core.sections import Settings
from harness.proxies.contract import populations, proxies


@dataclass(frozen=True)
class Definition:
    """A proxy's entry in the report.

    Attributes:
        name: Its name.
        facts: Direction, passes and labels, in words.
        paragraphs: Its docstring as HTML; the last one names the source.
    """

    name: str
    facts: str
    paragraphs: list[Markup]


def definitions(names: Iterable[str]) -> list[Definition]:
    """Returns the entries of the proxies in alphabetical order.

    A proxy of another package that is not installed here has scores but no definition, and its
    entry says so.
    """
    return [_definition(name) for name in sorted(set(names))]


def _definition(name: str) -> Definition:
    if name in proxies:
        proxy = proxies.get(name)
        labels = "uses labels" if proxy.labels else "needs no labels"
        passes = ", ".join(one.name for one in proxy.passes)
        facts = f"{proxy.direction} is better; {labels}; passes: {passes}"
        return Definition(name, facts, _paragraphs(proxy.doc))
    if name in populations:
        ranked = populations.get(name)
        sees = "made with the accuracies, not zero-cost" if ranked.truth else "sees no accuracy"
        parts = ", ".join(ranked.columns(Settings()))
        facts = f"higher is better; {sees}; made of {parts}{' by default' * bool(ranked.settings)}"
        return Definition(name, facts, _paragraphs(ranked.doc))
    missing = "The package that defines this proxy is not installed where the page was made."
    return Definition(name, "", [Markup(escape(missing))])


def _paragraphs(doc: str) -> list[Markup]:
    """Splits a docstring at blank lines; only ``code`` is marked up."""
    return [
        Markup(re.sub(r"``(.+?)``", r"<code>\1</code>", str(escape(" ".join(part.split())))))
        for part in re.split(r"\n\s*\n", doc.strip())
    ]

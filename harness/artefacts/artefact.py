"""What an artefact is: a name, and a function from stored results to what it shows."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal

import pandas as pd

from harness import figures
from harness.artefacts.stored_results import StoredResults
from harness.core.picture_formats import FORMATS as PICTURES
from harness.core.registry import Registry
from harness.results.table_files import WRITERS

Kind = Literal["figure", "table", "analysis"]
FORMATS = (*WRITERS, *PICTURES)
THEME = 10
"""Chapters 10 to 19 are one theme, 20 to 29 the next; the first of each speaks in the summary."""


@dataclass(frozen=True)
class Drawn:
    """What an artefact consists of; the names are those of the files, without suffix.

    Attributes:
        tables: Data frames.
        figures: Pictures.
        finding: One sentence that says what they show, with its numbers and intervals.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, figures.Figure] = field(default_factory=dict)
    finding: str = ""

    def write(self, folder: Path, formats: Collection[str] = ("csv", "png")) -> list[Path]:
        """Writes the tables and pictures, each in those formats that it can have."""
        paths = []
        for name, table in self.tables.items():
            chosen = [one for one in WRITERS if one in formats]
            paths += figures.write_tables(table, folder / name, chosen, float_format="%.3f")
        for name, figure in self.figures.items():
            chosen = [one for one in PICTURES if one in formats]
            paths += figures.save(figure, folder / name, chosen)
        return paths


Draw = Callable[[StoredResults], Drawn]


@dataclass(frozen=True)
class Artefact:
    """Something that is drawn from stored results.

    Attributes:
        name: Its name on the command line.
        kind: A paper's figure or table, or an analysis of our own.
        draw: Makes it from stored results; raises a DataError if they lack something.
        question: What an analysis answers.
        chapter: Where it stands among the analyses, see ``THEME``.
    """

    name: str
    kind: Kind
    draw: Draw
    question: str = ""
    chapter: int = 0


class Artefacts(Registry[Artefact]):
    """Artefacts of one package; its folders are the list.

    Args:
        kind: What is registered, in the singular, for error messages.
        home: The package.
    """

    def registering(
        self, name: str, kind: Kind, question: str = "", chapter: int = 0
    ) -> Callable[[Draw], Draw]:
        """Returns a decorator that registers a function as an artefact; see ``Artefact``."""

        def register(draw: Draw) -> Draw:
            self.add(name, Artefact(name, kind, draw, question, chapter))
            return draw

        return register

    def _register_ours(self) -> None:
        home = import_module(self._home)
        for module in pkgutil.walk_packages(home.__path__, f"{home.__name__}."):
            import_module(module.name)

"""What an artefact of a paper is: a name, and a function from stored results to what it shows."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Literal

import pandas as pd

from harness import figures
from harness.core.registry import Registry
from harness.figures import style
from harness.papers.stored_results import StoredResults
from harness.results.table_files import WRITERS

Kind = Literal["figure", "table"]
FORMATS = (*WRITERS, *style.FORMATS)


@dataclass(frozen=True)
class Drawn:
    """What an artefact consists of; the names are those of the files, without suffix."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, figures.Figure] = field(default_factory=dict)


Draw = Callable[[StoredResults], Drawn]


@dataclass(frozen=True)
class Artefact:
    """A figure or a table of a paper.

    Attributes:
        name: Its name on the command line.
        kind: Whether it belongs to ``paper=figures`` or to ``paper=tables``.
        draw: Makes it from stored results; raises a DataError if they lack something.
    """

    name: str
    kind: Kind
    draw: Draw

    def write(
        self, results: StoredResults, folder: Path, formats: Collection[str] = ("csv", "png")
    ) -> list[Path]:
        """Draws it and writes its tables and pictures, each in those formats that it can have.

        Raises:
            DataError: If a stored result is missing or broken.
        """
        drawn = self.draw(results)
        paths = []
        for name, table in drawn.tables.items():
            chosen = [one for one in WRITERS if one in formats]
            paths += figures.write_tables(table, folder / name, chosen, float_format="%.3f")
        for name, figure in drawn.figures.items():
            chosen = [one for one in style.FORMATS if one in formats]
            paths += figures.save(figure, folder / name, chosen)
        return paths


class _Artefacts(Registry[Artefact]):
    """The folders of the papers are the list."""

    def _register_ours(self) -> None:
        home = import_module("harness.papers")
        for module in pkgutil.walk_packages(home.__path__, f"{home.__name__}."):
            import_module(module.name)


artefacts = _Artefacts("artefact of a paper")


def artefact(name: str, kind: Kind) -> Callable[[Draw], Draw]:
    """Registers a function as the artefact ``name``."""

    def register(draw: Draw) -> Draw:
        artefacts.add(name, Artefact(name, kind, draw))
        return draw

    return register

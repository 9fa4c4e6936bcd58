"""What an artefact of the paper is: a name, and a function from stored results to what it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from harness import figures
from harness.paper.results import Results
from harness.registry import Registry

Kind = Literal["figure", "table"]


@dataclass(frozen=True)
class Drawn:
    """What an artefact consists of; the names are those of the files, without suffix."""

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, figures.Figure] = field(default_factory=dict)


Draw = Callable[[Results], Drawn]


@dataclass(frozen=True)
class Artefact:
    """A figure or a table of the paper.

    Attributes:
        name: Its name on the command line.
        kind: Whether it belongs to ``paper=figures`` or to ``paper=tables``.
        draw: Makes it from stored results; raises a DataError if they lack something.
    """

    name: str
    kind: Kind
    draw: Draw

    def write(self, results: Results, folder: Path) -> list[Path]:
        """Draws it and writes CSV, Markdown and LaTeX, PNG and SVG; returns the files.

        Raises:
            DataError: If a stored result is missing or broken.
        """
        drawn = self.draw(results)
        paths = []
        for name, table in drawn.tables.items():
            paths += figures.write_tables(table, folder / name, float_format="%.3f")
        for name, figure in drawn.figures.items():
            paths += figures.save(figure, folder / name)
        return paths


artefacts: Registry[Artefact] = Registry("artefact of the paper")


def artefact(name: str, kind: Kind) -> Callable[[Draw], Draw]:
    """Registers a function as the artefact ``name``."""

    def register(draw: Draw) -> Draw:
        artefacts.add(name, Artefact(name, kind, draw))
        return draw

    return register

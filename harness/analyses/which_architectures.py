"""How much does ρ depend on which architectures count?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from harness import figures, stats
from harness.analyses.architectures import cells, isomorphism_classes
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import HarnessError
from harness.core.printing import estimate, printed
from harness.results.finished import Result

ALL, CONNECTED, TIGHT, UNIQUE = "all", "output depends on input", "no loose end", "one per class"


@analysis("which_architectures", "How much does ρ depend on which count?", chapter=100)
def which_architectures(results: StoredResults) -> Drawn:
    """Correlates among all, among connected ones, and with one per isomorphism class."""
    table = by_column(results, _of_column)
    table["difference"] = table["spearman"] - table["among_all"]
    pictures = {
        f"which_{part.replace(' ', '_')}": figures.intervals(
            own,
            "spearman",
            f"ρ with other architectures: {part}",
            f"Filled: those alone. Hollow: all that were drawn. {RESAMPLED}",
            label="Spearman's ρ",
            other="among_all",
        )
        for part in (CONNECTED, TIGHT, UNIQUE)
        if len(own := table[table["part"] == part])
    }
    return Drawn({"which_architectures": table}, pictures, _finding(table))


def _of_column(one: Result) -> pd.DataFrame:
    graphs = cells(one)
    masks: dict[str, list[Any]] = {
        CONNECTED: [[all(c.depends_on_input for c in own) for own in seed] for seed in graphs],
        TIGHT: [[not any(c.loose for c in own) for own in seed] for seed in graphs],
        UNIQUE: [~pd.Series(seed).duplicated() for seed in isomorphism_classes(one)],
    }
    everyone = [np.arange(len(seed)) for seed in graphs]
    parts = {name: [np.flatnonzero(mask) for mask in seeds] for name, seeds in masks.items()}
    # Where all architectures are of that kind there is nothing to compare.
    parts = {name: own for name, own in parts.items() if [*map(len, own)] != [*map(len, everyone)]}
    if not parts:
        raise HarnessError("All of its architectures are connected, and no two of one class.")
    table = stats.among(one.joint, {ALL: everyone, **parts})
    among_all = table.loc[table["part"] == ALL, "spearman"].to_numpy()
    return table.assign(among_all=np.tile(among_all, 1 + len(parts)))


def _finding(table: pd.DataFrame) -> str:
    # The change that the interval is surest of.
    beyond = np.maximum(table["low"] - table["among_all"], table["among_all"] - table["high"])
    row = table.assign(beyond=beyond).sort_values("beyond", na_position="first").iloc[-1]
    return (
        f"Which architectures count moves ρ most clearly for {row['proxy']} on {row['column']}: "
        f"{estimate(row['spearman'], row['low'], row['high'])} with "
        f"{row['part']} (n = {row['n']}), {printed(row['among_all'])} with all; the median change "
        f"is {table['difference'].abs()[table['part'] != ALL].median():.2f}."
    )

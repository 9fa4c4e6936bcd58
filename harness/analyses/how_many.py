"""How many architectures does a correlation take?"""

from __future__ import annotations

import pandas as pd

from harness import figures, stats
from harness.analyses.by_column import by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.stats.convergence import NARROW


@analysis("how_many", "How many architectures does a correlation take?", chapter=101)
def how_many(results: StoredResults) -> Drawn:
    """Draws samples of several sizes from those that were scored."""
    table = by_column(results, lambda one: stats.convergence(one.joint))
    shown = table.pivot_table(index="proxy", columns="size", values="half", sort=False)
    shown = shown.sort_index(axis=1)
    shown.columns.name = "architectures"
    order = shown.mean(axis=1).sort_values(kind="stable").index
    picture = figures.heatmap(
        shown.loc[order].rename(columns=str),
        title="How far ρ may be off: half of its 95\N{NO-BREAK SPACE}% interval",
        subtitle=f"Samples drawn from the first seed's architectures; mean over "
        f"{table['column'].nunique()} columns.",
        label="half width of the interval of ρ",
    )
    return Drawn({"how_many": table}, {"how_many": picture}, _finding(table))


def _finding(table: pd.DataFrame) -> str:
    largest = table[table["size"] == table.groupby("column")["size"].transform("max")]
    hundred = table.loc[table["size"] == 100, "half"].median()
    few = f"100 architectures leave ρ uncertain by ±{hundred:.2f} (median); " if hundred > 0 else ""
    return (
        f"{few}±{NARROW} takes {largest['needed'].median():.0f} of them, from "
        f"{largest['needed'].min():.0f} to {largest['needed'].max():.0f} over "
        f"{largest['proxy'].nunique()} proxies and {largest['column'].nunique()} columns."
    )

"""Does a proxy rank the best architectures, and does it find them?"""

from __future__ import annotations

import math

import pandas as pd

from harness import figures, stats
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate, printed
from harness.results.finished import Result

UNITS = {"percent": 100.0, "0 to 1": 1.0}
"""How the metric of a truth table says in which unit a share is."""


@analysis("top_k", "Does a proxy rank and find the best architectures?", chapter=10)
def top_k(results: StoredResults) -> Drawn:
    """Looks at the most accurate tenth, and at the architectures that score highest."""
    table = by_column(results, _of_column)
    # Too few architectures have no tenth to rank.
    ranked = table[table["measure"] == "spearman_best_10"]
    found = table[table["measure"] == "precision_tenth"]
    pictures = {
        "top_k_found": figures.intervals(
            above_chance(found),
            "value",
            "Which share of the best-scored tenth is among the most accurate tenth?",
            f"(share − chance) / (1 − chance): 0 is what chance gives, 1 is all. {RESAMPLED}",
            label="share above chance",
        )
    }
    if len(ranked):
        pictures["top_k_ranked"] = figures.intervals(
            ranked,
            "value",
            "How proxies rank the most accurate tenth",
            f"Filled: Spearman's ρ among the most accurate tenth. Hollow: ρ among all. {RESAMPLED}",
            label="Spearman's ρ",
            other="spearman",
        )
    return Drawn({"top_k": table}, pictures, _finding(ranked, found))


def _of_column(one: Result) -> pd.DataFrame:
    metric = one.record["truth"]["metric"]
    unit = next((unit for word, unit in UNITS.items() if word in metric), math.nan)
    table = stats.top_k(one.joint, unit)
    everywhere = dict(
        zip(one.joint.names, one.joint.observed[:, :-1, -1].mean(axis=0), strict=True)
    )
    return table.assign(spearman=table["proxy"].map(everywhere))


def above_chance(table: pd.DataFrame) -> pd.DataFrame:
    """Moves shares to a scale on which chance is 0 and 1 stays 1; what is worse is negative.

    Args:
        table: ``value``, ``low``, ``high`` and ``chance``, which is below 1.

    Returns:
        The table with the first three as (share − chance) / (1 − chance).
    """
    chance = table["chance"]
    moved = {name: (table[name] - chance) / (1 - chance) for name in ("value", "low", "high")}
    return table.assign(**moved)


def _finding(ranked: pd.DataFrame, found: pd.DataFrame) -> str:
    best = found.sort_values("low").iloc[-1]
    hits = (
        f"{best['proxy']}'s best-scored tenth holds "
        f"{estimate(best['value'], best['low'], best['high'])} of the most accurate tenth "
        f"({best['column']}, n = {best['n']}; chance 0.10)."
    )
    if ranked.empty:
        return hits
    everywhere, among = ranked["spearman"].median(), ranked["value"].median()
    return (
        f"Among the most accurate tenth the median ρ falls from {printed(everywhere)} to "
        f"{printed(among)}; at best, {hits}"
    )

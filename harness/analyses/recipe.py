"""Is there a blind ensemble that carries over to search spaces it was not chosen on?"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from harness import figures
from harness.analyses.by_column import RESAMPLED, each, enough
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError, HarnessError
from harness.core.printing import estimate
from harness.results.finished import Result
from harness.stats.recipes import RECIPE, SINGLE, leave_one_space_out

PRINTED = Path(__file__).with_name("printed_aggregates.toml")


@analysis("recipe", "Does a blind ensemble carry over to spaces it never saw?", chapter=61)
def recipe(results: StoredResults) -> Drawn:
    """Chooses proxies for ``rank_log`` on all search spaces but one, and tests them there."""
    taken = each(results, enough)
    try:
        table, choice = leave_one_space_out(
            {(one.space, one.task): joined.columns for one, joined in taken}
        )
    except HarnessError as error:
        raise DataError(str(error)) from error
    table = table.merge(_printed(), on="column", how="left")
    seconds = {one.name: _seconds(one) for one, _ in taken}
    table["seconds"] = [
        sum(seconds[column][name] for name in proxies.split())
        for column, proxies in zip(table["column"], table["proxies"], strict=True)
    ]
    picture = figures.intervals(
        table.rename(columns={"method": "proxy"}),
        "spearman",
        "Blind ensembles on search spaces where they were not chosen",
        "Members chosen on all other spaces, ρ of their Σ log rank on this one. Line: the best "
        f"printed aggregate. {RESAMPLED}",
        label="Spearman's ρ",
        line="printed",
    )
    tables = {"recipe": table, "recipe_choice": choice}
    return Drawn(tables, {"recipe": picture}, _finding(table))


def _printed() -> pd.DataFrame:
    """Returns ``column``, ``printed``, ``printed_method`` and whether it sees accuracies."""
    with PRINTED.open("rb") as file:
        entries: list[dict[str, Any]] = tomllib.load(file)["printed"]
    return pd.DataFrame(
        [
            {
                "column": column,
                "printed": value,
                "printed_method": entry["method"],
                "printed_sees_accuracies": entry["sees_accuracies"],
            }
            for entry in entries
            for column, value in entry["values"].items()
        ]
    )


def _seconds(one: Result) -> dict[str, float]:
    """Returns the mean seconds that a score took; proxies share passes, so that sums are high."""
    means = one.scores.groupby("proxy")["seconds"].mean()
    return {str(name): float(value) for name, value in means.items()}


def _finding(table: pd.DataFrame) -> str:
    chosen, single = (table[table["method"] == name] for name in (RECIPE, SINGLE))
    best = chosen.sort_values("spearman").iloc[-1]
    printed = chosen.dropna(subset=["printed"])
    beats = int((printed["low"] > printed["printed"]).sum())
    worse = int((printed["high"] < printed["printed"]).sum())
    return (
        f"Chosen on other search spaces, a blind sum of log ranks reaches ρ = "
        f"{chosen['spearman'].mean():.2f} on average over {len(chosen)} columns (one proxy chosen "
        f"so: {single['spearman'].mean():.2f}), at best "
        f"{estimate(best['spearman'], best['low'], best['high'])} ({best['column']}, n = "
        f"{best['n']}); of {len(printed)} printed aggregates it beats {beats} and falls short of "
        f"{worse}."
    )

"""Does a proxy rank networks of equal size?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import figures, stats
from harness.analyses.architectures import convolutions
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate, printed
from harness.results.finished import Result
from harness.stats.strata import TOGETHER


@analysis("equal_size", "Does a proxy rank networks of equal size?", chapter=21)
def equal_size(results: StoredResults) -> Drawn:
    """Correlates within FLOPs deciles and within equal numbers of convolutions."""
    flops = by_column(results, _by_flops)
    by_number = by_column(results, _by_convolutions)
    pictures = {}
    for name, table, what in (
        ("equal_flops", flops, "FLOPs deciles"),
        ("equal_convolutions", by_number, "equal numbers of convolutions"),
    ):
        pictures[name] = figures.intervals(
            table[table["part"] == TOGETHER],
            "spearman",
            f"How proxies rank within {what}",
            f"Filled: ρ within the parts, mean over them. Hollow: ρ among all. {RESAMPLED}",
            label="Spearman's ρ",
            other="among_all",
        )
    for space, own in by_number.groupby(by_number["column"].str.split("/").str[0]):
        pictures[f"equal_convolutions_{space}"] = _by_number(str(space), own)
    tables = {"equal_flops": flops, "equal_convolutions": by_number}
    return Drawn(tables, pictures, _finding(flops, by_number))


def _by_flops(one: Result) -> pd.DataFrame:
    one.joint.index("flops")
    sizes = [table["flops"].to_numpy(dtype=float) for table in one.joint.columns]
    return _within(one, stats.quantile_parts(sizes))


def _by_convolutions(one: Result) -> pd.DataFrame:
    counts = [np.array(of_seed) for of_seed in convolutions(one)]
    return _within(one, stats.equal_parts(counts))


def _within(one: Result, parts: dict[str, list[stats.Members]]) -> pd.DataFrame:
    table = stats.among(one.joint, parts, mean=True)
    among_all = one.joint.observed[:, :-1, -1].mean(axis=0)
    return table.assign(among_all=np.tile(among_all, len(parts) + 1))


def _by_number(space: str, table: pd.DataFrame) -> figures.Figure:
    """Draws ρ against the number of convolutions, the mean over the columns of a space."""
    own = table[table["part"] != TOGETHER]
    shown = own.pivot_table(index="proxy", columns="part", values="spearman", dropna=False)
    # Names begin with the number of convolutions.
    shown = shown[sorted(shown, key=lambda name: int(str(name).split()[0]))]
    shown.columns.name = "convolutions"
    order = own.groupby("proxy")["among_all"].mean().sort_values(ascending=False).index
    tasks = ", ".join(own["column"].str.split("/").str[1].unique())
    return figures.heatmap(
        shown.reindex(order),
        title=f"ρ among architectures with equal numbers of convolutions, {space}",
        subtitle=f"Mean over tasks: {tasks}; at least {own['n'].min()} architectures each.",
    )


def _finding(flops: pd.DataFrame, by_number: pd.DataFrame) -> str:
    deciles = flops[flops["part"] == TOGETHER].dropna(subset="low")
    everywhere, within, alike = (
        numbers.median()
        for numbers in (
            deciles["among_all"],
            deciles["spearman"],
            by_number.loc[by_number["part"] == TOGETHER, "spearman"],
        )
    )
    best = deciles.sort_values("low").iloc[-1]
    interval = estimate(best["spearman"], best["low"], best["high"])
    return (
        f"The median ρ of {printed(everywhere)} falls to {printed(within)} within FLOPs deciles, "
        f"to {printed(alike)} among equal numbers of convolutions; within deciles "
        f"{best['proxy']} keeps {interval} ({best['column']}, n = {best['n']})."
    )

"""``job=compare_searches``: SWAP-NAS against random search and regularised evolution.

All methods get the same number of evaluations, and those of one seed the same images and weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness import figures
from harness.config import Config
from harness.errors import HarnessError
from harness.files import make_writable
from harness.jobs.base import jobs
from harness.runs.search_results import write_results
from harness.runs.searches import run_searches, searches_of
from harness.search.settings import METHODS
from harness.stats.search import mean_over_seeds, paired_difference

BASELINE = "random"
SHOWN = ("method", "mean", "regret_mean", "rank_median", "lead_low", "lead_high", "p")


def compare_searches(config: Config) -> Path:
    """Runs what is missing of all methods' searches and compares what they found.

    Where not every accuracy is known, the scores themselves are compared.

    Returns:
        The folder ``results/swap_nas/<space>/<task>/comparison``.
    """
    items = [
        item
        for method in METHODS
        for item in searches_of(replace(config, search=replace(config.search, method=method)))
    ]
    folder = items[0].folder / items[0].name.replace(items[0].settings.method, "comparison")
    make_writable(folder)
    evaluations = run_searches(items, config)
    methods = [item.settings.method for item in items]
    evaluations["method"] = pd.Series(methods).repeat(len(evaluations) // len(items)).to_numpy()
    found = write_results(folder, items, evaluations, config)
    table = comparison(found)
    figures.write_tables(table, folder / "comparison", ("csv", "md"), float_format="%.3f")
    title = f"{config.space} · {config.task}: {found.evaluations.max()} evaluations per search"
    shown = table[[column for column in SHOWN if column in table]]
    Console().print(figures.plain_table(shown, title=title, float_format="%.2f"))
    return folder


def comparison(found: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per method with its means over seeds and its lead over random search.

    Args:
        found: ``method``, ``seed``, ``score`` and, where known, ``truth``, ``regret``, ``rank``;
            the same seeds for every method.

    Returns:
        ``measure`` says what is averaged: ``truth``, or ``score`` if not every truth is known.
        ``mean`` is over seeds; ``low`` and ``high`` are 95 %
        bootstrap intervals over seeds, ``p`` is Wilcoxon's signed-rank test of the differences.

    Raises:
        HarnessError: If the methods have other seeds or numbers of evaluations.
    """
    measure = "truth" if "truth" in found and found["truth"].notna().all() else "score"
    table = found.pivot_table(index="seed", columns="method", values=measure)
    if table.isna().any(axis=None) or len(set(found.evaluations)) > 1:
        raise HarnessError(
            "The methods cannot be compared: each needs a value for every seed and the same number "
            "of evaluations."
        )
    rows = []
    for method, own in found.groupby("method", sort=False):
        mean = mean_over_seeds(table[method])
        lead, p = paired_difference(table[method], table[BASELINE])
        rows.append(
            {
                "method": method,
                "measure": measure,
                "seeds": len(own),
                "mean": mean.mean,
                "low": mean.low,
                "high": mean.high,
                **{f"{name}_mean": own[name].mean() for name in ("regret", "rank") if name in own},
                **({"rank_median": own["rank"].median()} if "rank" in own else {}),
                "lead_over_random": lead.mean,
                "lead_low": lead.low,
                "lead_high": lead.high,
                "p": p,
            }
        )
    return pd.DataFrame(rows)


jobs.add("compare_searches", compare_searches)

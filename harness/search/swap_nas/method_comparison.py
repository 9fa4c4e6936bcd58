"""SWAP-NAS against random search and regularised evolution: what ``job=compare_searches`` does.

All methods get the same number of evaluations, and those of one seed the same images and weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.core.errors import HarnessError
from harness.passes.settings import SwapSettings
from harness.results.folder import replacing
from harness.results.layout import result_path
from harness.results.terminal import plain_table
from harness.search.swap_nas.search_result import result_of
from harness.search.swap_nas.searches import searches_of
from harness.search.swap_nas.swap_nas_settings import METHODS, SwapNasSettings
from harness.stats.search_comparison import mean_over_seeds, paired_difference

BASELINE = "random"
SHOWN = ("method", "mean", "regret_mean", "rank_median", "lead_low", "lead_high", "p")


def compare_methods(config: Config, settings: SwapNasSettings, swap: SwapSettings) -> Path:
    """Runs what is missing of all methods' searches and compares what they selected."""
    searches = [
        one
        for method in METHODS
        for one in searches_of(config, replace(settings, method=method), swap)
    ]
    name = searches[0].name.replace(METHODS[0], "comparison")
    result = result_of(searches, config, result_path(config, name))
    table = comparison(result.selected)
    if result.grew:
        from harness.search.swap_nas.search_pictures import draw

        with replacing(result.folder) as fresh:
            draw(result, fresh)
            table.to_csv(fresh / "comparison.csv", index=False, lineterminator="\n")
            result.write(fresh, evaluations=True)
    title = f"{config.space} · {config.task}: {settings.budget} evaluations per search"
    shown = table[[column for column in SHOWN if column in table]]
    Console().print(plain_table(shown, title=title, float_format="%.2f"))
    return result.folder


def comparison(selected: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per method with its means over seeds and its lead over random search.

    Args:
        selected: ``method``, ``seed``, ``score`` and, where known, ``truth``, ``regret``, ``rank``;
            the same seeds for every method.

    Returns:
        ``measure`` says what is averaged: ``truth``, or ``score`` if not every truth is known.
        ``mean`` is over seeds; ``low`` and ``high`` are 95 % bootstrap intervals over seeds, ``p``
        is Wilcoxon's signed-rank test of the differences.

    Raises:
        HarnessError: If the methods have other seeds or numbers of evaluations.
    """
    measure = "truth" if "truth" in selected and selected["truth"].notna().all() else "score"
    table = selected.pivot_table(index="seed", columns="method", values=measure)
    if table.isna().any(axis=None) or len(set(selected.evaluations)) > 1:
        raise HarnessError(
            "The methods cannot be compared: each needs a value for every seed and the same number "
            "of evaluations."
        )
    rows = []
    for method, own in selected.groupby("method", sort=False):
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

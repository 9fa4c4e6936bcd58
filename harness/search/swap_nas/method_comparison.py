"""SWAP-NAS against other methods and other objectives: what ``job=compare_searches`` does.

All searches get the same number of evaluations, and those of one seed the same images and weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.results.folder import replacing
from harness.results.layout import result_path
from harness.results.terminal import plain_table
from harness.search.swap_nas.measurement import REG_SWAP, TRUTH
from harness.search.swap_nas.search_result import result_of, truth_of
from harness.search.swap_nas.searches import searches_of
from harness.search.swap_nas.swap_nas_settings import METHODS, SwapNasSettings
from harness.spaces.space import spaces
from harness.stats.search_comparison import mean_over_seeds, paired_difference

OBJECTIVES = (REG_SWAP, "swap", "nwot", "params", "flops", TRUTH)
"""What SWAP-NAS's evolution maximises in turn; params and flops tell what size alone finds."""
RANDOM, SIZE = ("random", REG_SWAP), (METHODS[0], "params")
SHOWN = (
    *("method", "objective", "mean", "regret_mean", "rank_median", "largest_share"),
    *("distinct_mean", "seconds_mean", "lead_low", "lead_high", "p"),
    *("lead_over_size_low", "lead_over_size_high"),
)


def compare_methods(
    config: Config, search: SwapNasSettings, settings: Settings, objectives: Sequence[str] | None
) -> Path:
    """Runs what is missing of all searches and compares what they selected.

    Raises:
        HarnessError: If objectives are to be compared where not every accuracy is known.
    """
    searches = [
        one
        for method, objective in _pairs(config, objectives)
        for one in searches_of(
            config, replace(search, method=method, objective=objective), settings
        )
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
    counted = "distinct architectures" if search.distinct else "evaluations"
    title = f"{config.space} · {config.task}: {search.budget} {counted} per search"
    shown = table[[column for column in SHOWN if column in table]]
    Console().print(plain_table(shown, title=title, float_format="%.2f"))
    return result.folder


def _pairs(config: Config, objectives: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """Yields (method, objective): every method as it is, then SWAP-NAS with other objectives."""
    if objectives is None:
        objectives = OBJECTIVES if _all_known(config) else [REG_SWAP]
    elif [*objectives] != [REG_SWAP] and not _all_known(config):
        raise HarnessError(
            f"Objectives are compared by the accuracies of what is selected, but not every one of "
            f"{config.space} on {config.task} is known; leave objectives= out."
        )
    yield from ((method, REG_SWAP) for method in METHODS)
    yield from ((METHODS[0], one) for one in objectives if one != REG_SWAP)


def _all_known(config: Config) -> bool:
    accuracies = truth_of(config)
    return accuracies is not None and len(accuracies) >= len(spaces.get(config.space).listed())


def comparison(selected: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per method and objective: means over seeds, and leads.

    Args:
        selected: ``method``, ``objective``, ``seed``, ``score`` and, where known, ``truth``,
            ``regret``, ``rank``; the same seeds for each.

    Returns:
        ``measure`` says what is averaged: ``truth``, or ``score`` if not every truth is known.
        ``mean`` is over seeds; ``low`` and ``high`` are 95 % bootstrap intervals over seeds, ``p``
        is Wilcoxon's signed-rank test of the lead over random search; ``lead_over_size`` is that
        over the same evolution with the number of parameters as its objective, if that was run;
        ``largest_share`` is the share of searches that selected the largest network they met.

    Raises:
        HarnessError: If the methods have other seeds or numbers of evaluations.
    """
    measure = "truth" if "truth" in selected and selected["truth"].notna().all() else "score"
    pair = ["method", "objective"]
    table = selected.pivot_table(index="seed", columns=pair, values=measure)
    if table.isna().any(axis=None):
        raise HarnessError(
            "The methods cannot be compared: each needs a value for every seed and the same number "
            "of evaluations."
        )
    rows = []
    for name, own in selected.groupby(pair, sort=False):
        mean = mean_over_seeds(table[name])
        lead, p = paired_difference(table[name], table[RANDOM])
        row = {
            **dict(zip(pair, name, strict=True)),
            "measure": measure,
            "seeds": len(own),
            "mean": mean.mean,
            "low": mean.low,
            "high": mean.high,
            **{
                f"{column}_mean": own[column].mean()
                for column in ("regret", "rank", "params", "evaluations", "distinct", "seconds")
                if column in own
            },
            **({"rank_median": own["rank"].median()} if "rank" in own else {}),
            **({"largest_share": own["largest"].mean()} if "largest" in own else {}),
            "lead_over_random": lead.mean,
            "lead_low": lead.low,
            "lead_high": lead.high,
            "p": p,
        }
        if SIZE in table:
            over, _ = paired_difference(table[name], table[SIZE])
            row |= {
                "lead_over_size": over.mean,
                "lead_over_size_low": over.low,
                "lead_over_size_high": over.high,
            }
        rows.append(row)
    return pd.DataFrame(rows)

"""How operation scores agree with accuracies, iteration by iteration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.core.errors import unknown
from harness.results.folder import replacing
from harness.results.layout import CORRELATIONS, work_path
from harness.results.terminal import plain_table
from harness.search.zero_cost_pt import operation_tables
from harness.search.zero_cost_pt.iterative_measurement import (
    METHODS,
    IterativeConditions,
    measure_shard,
)
from harness.search.zero_cost_pt.operation_outputs import training_runs
from harness.search.zero_cost_pt.operation_results import KEYS, MEASURED, SCORES, result_of
from harness.search.zero_cost_pt.supernet_scoring import scored_under
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.spaces import nb201
from harness.training.supernet_recipe import SupernetRecipe


def follow_iterations(
    config: Config,
    search: ZeroCostPtSettings,
    recipe: SupernetRecipe,
    methods: Sequence[str] | str,
) -> Path:
    """Measures the scores that the result lacks and correlates all of them with best-acc.

    Args:
        config: The run.
        search: ``proxy``, ``counting`` and ``images`` of the untrained methods.
        recipe: Training of the supernet of the trained ones.
        methods: Some of ``iterative_measurement.METHODS``.

    Raises:
        HarnessError: If a name is unknown, or the result has other conditions.
    """
    names = [methods] if isinstance(methods, str) else list(methods)
    for name in names:
        if name not in METHODS:
            raise unknown("method of scoring operations iteratively", name, METHODS)
    runs, described = training_runs(config.space, config.task)
    work = work_path(config, "iterative_scores", config.space, config.task)
    under = scored_under(config, search, channels_last=False)
    scoring = IterativeConditions(under, search, recipe, work)
    result = result_of(config, scoring, names, described, measure_shard)
    found = correlations(result.rows, operation_tables.from_accuracies(runs, "max"))
    if result.grew:
        with replacing(result.folder) as fresh:
            table = result.rows[[*KEYS, "value"]]
            table.to_csv(fresh / SCORES, index=False, lineterminator="\n")
            found.to_csv(fresh / CORRELATIONS, index=False, lineterminator="\n")
            result.write_record(fresh)
    _show(found, title=f"{config.space} · {config.task}: ρ with best-acc, mean of seeds")
    return result.folder


def correlations(rows: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """Returns ``MEASURED``, ``iteration``, ``edges`` and ``best_acc``.

    Args:
        rows: ``KEYS`` and ``value``, a score per row; higher is better.
        best: best-acc, edges × operations, of the whole space, whatever is decided: so the paper
            compares.

    Returns:
        Spearman's ρ with best-acc over the operations of an edge, mean of the undecided edges.
    """
    found = []
    for name, part in rows.groupby([*MEASURED, "iteration"]):
        # pivot refuses duplicates, pivot_table would average them.
        scores = part.pivot(index="edge", columns="operation", values="value")  # noqa: PD010
        scores = scores[list(nb201.OPERATIONS)]
        rho = operation_tables.correlation(scores, best.loc[scores.index])
        found.append((*name, len(scores), rho))
    return pd.DataFrame(found, columns=[*MEASURED, "iteration", "edges", "best_acc"])


def _show(found: pd.DataFrame, title: str) -> None:
    by = ["method", "setting", "iteration"]
    means = found.groupby(by)["best_acc"].mean().unstack().reset_index()  # noqa: PD010
    Console().print(plain_table(means, title=title, float_format="%.2f"))

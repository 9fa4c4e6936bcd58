"""How operation scores agree with accuracies, iteration by iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.core.errors import unknown
from harness.results import record
from harness.results.folder import refuse_other_conditions, replacing
from harness.results.layout import CORRELATIONS, result_path, work_path
from harness.results.stored_table import stored_table
from harness.results.terminal import plain_table
from harness.search.zero_cost_pt import operation_tables
from harness.search.zero_cost_pt.iterative_scores import METHODS, IterativeConditions, measure
from harness.search.zero_cost_pt.operation_outputs import MEASURED, SCORES, training_runs
from harness.search.zero_cost_pt.supernet_scoring import scored_under
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.spaces import nb201
from harness.training.supernet_recipe import SupernetRecipe

KEYS = [*MEASURED, "iteration", "edge", "operation"]


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
        methods: Some of ``iterative_scores.METHODS``.

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
    conditions = scoring.described(names) | {"truth": described["variant"]}
    folder = result_path(config)
    _, known = _stored(folder, conditions, config)
    present = set(known[MEASURED].itertuples(index=False, name=None))
    pairs = [(method, seed) for seed in config.seeds for method in names]
    asked = [(m, s) for m, s in pairs if (m, scoring.setting(m), s) not in present]
    new = measure(scoring, asked, config.executor)
    old, known = _stored(folder, conditions, config)  # another run may have ended meanwhile
    rows = pd.concat([new, known]).drop_duplicates(KEYS)
    rows = rows.sort_values(KEYS[:-1], kind="stable", ignore_index=True)
    found = correlations(rows, operation_tables.from_accuracies(runs, "max"))
    if asked or old is None:
        before = old or {"conditions": {"methods": {}}, "computed": []}
        conditions["methods"] = before["conditions"]["methods"] | conditions["methods"]
        provenance = record.of_run(
            config,
            conditions=conditions,
            resolved={"stored": rows[MEASURED].drop_duplicates().to_dict("records")},
            truth=described,
            computed=record.machines(rows.machine.dropna(), before["computed"]),
        )
        with replacing(folder) as fresh:
            table = rows[[*KEYS, "value"]]
            table.to_csv(fresh / SCORES, index=False, lineterminator="\n")
            found.to_csv(fresh / CORRELATIONS, index=False, lineterminator="\n")
            record.write(fresh, provenance)
    _show(found, title=f"{config.space} · {config.task}: ρ with best-acc, mean of seeds")
    return folder


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


def _stored(
    folder: Path, conditions: Mapping[str, Any], config: Config
) -> tuple[dict[str, Any] | None, pd.DataFrame]:
    """Returns the record and the scores of a result that a run adds to."""
    old = refuse_other_conditions(
        folder, conditions, overwrite=config.overwrite, additive=("methods",)
    )
    if old is None:
        return None, pd.DataFrame(columns=[*KEYS, "value", "machine"])
    rows = stored_table(folder, SCORES, converters={"value": float})  # every digit
    return old, rows.assign(machine=None)


def _show(found: pd.DataFrame, title: str) -> None:
    by = ["method", "setting", "iteration"]
    means = found.groupby(by)["best_acc"].mean().unstack().reset_index()  # noqa: PD010
    Console().print(plain_table(means, title=title, float_format="%.2f"))

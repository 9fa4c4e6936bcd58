"""What operation scores say about each other: Zero-Cost-PT's table 1, figure 2 and table A2.

Three sources: the benchmark's accuracies, the authors' sheet of scores, and supernets of our own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console

from harness import figures, truth
from harness.config import Config
from harness.core.errors import HarnessError, unknown
from harness.results.folder import replacing
from harness.results.layout import work_path
from harness.results.terminal import plain_table
from harness.search.zero_cost_pt import operation_tables as scores
from harness.search.zero_cost_pt.operation_measurement import (
    OperationScoreConditions,
    measure_shard,
)
from harness.search.zero_cost_pt.operation_results import MEASURED, SCORES, result_of
from harness.search.zero_cost_pt.supernet_scoring import scored_under
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.spaces import nb201
from harness.training.supernet_recipe import SupernetRecipe
from harness.truth import nb201_truth, published_scores

SPACE = "nb201"
BENCHMARK, SHEET, PRINTED, OURS = "benchmark", "authors' sheet", "printed", "ours"


class Label(NamedTuple):
    """What a table of operation scores is.

    Attributes:
        method: One of ``operation_tables.METHODS``.
        scores: Where they are from.
        setting: What was chosen; empty where nothing was.
        search_seeds: How many search seeds it is the mean of; empty where there are none.
    """

    method: str
    scores: str
    setting: str = ""
    search_seeds: str = ""


Tables = dict[Label, pd.DataFrame]
"""Label -> edges × operations, higher is better."""


def compare_operation_scores(
    config: Config,
    search: ZeroCostPtSettings,
    recipe: SupernetRecipe,
    methods: Sequence[str] | str,
    printed: Mapping[str, Any],
) -> Path:
    """Measures the scores that the result lacks and compares all of them with accuracies.

    Args:
        config: The run.
        search: ``proxy``, ``counting`` and ``images`` of the untrained methods.
        recipe: Training of the supernet of the trained ones.
        methods: Some of ``operation_tables.METHODS``.
        printed: The numbers that the paper prints, ``table1`` and ``table_a2``.

    Raises:
        HarnessError: If a name is unknown, or the result has other conditions.
    """
    wanted, (runs, described) = _measurable(methods), training_runs(config.space, config.task)
    work = work_path(config, "operation_scores", config.space, config.task)
    under = scored_under(config, search, channels_last=False)
    scoring = OperationScoreConditions(under, search, recipe, work)
    result = result_of(config, scoring, wanted, described, measure_shard)
    tables = tables_of(config.task, runs, result.rows, printed)
    table1 = _table1(tables, runs, printed["table1"] if config.task == "cifar10" else {})
    if result.grew:
        with replacing(result.folder) as fresh:
            table1.to_csv(fresh / "table1.csv", index=False, lineterminator="\n")
            write_tables(fresh, tables, result.rows)
            draw(fresh, tables, f"{under.inputs.source}, mean of seeds, {under.batch_size} images")
            result.write_record(fresh)
    _show(table1, title=f"{config.space} · {config.task}")
    return result.folder


def _measurable(methods: Sequence[str] | str) -> list[str]:
    """Returns those of some methods that are measured, not looked up."""
    names = [methods] if isinstance(methods, str) else list(methods)
    for name in names:
        if name not in scores.METHODS:
            raise unknown("method of scoring operations", name, scores.METHODS)
    return [name for name in names if name not in scores.TABLED]


def training_runs(space: str, task: str) -> tuple[pd.DataFrame, Mapping[Any, Any]]:
    """Returns ``key`` and ``accuracy``, of every training run on CIFAR-10, and what they are."""
    if space != SPACE:
        raise HarnessError(
            f"Operation scores need the accuracies of a whole space, which {space} has not; use "
            f"space={SPACE}."
        )
    if task == "cifar10":
        described = asdict(truth.describe(SPACE, task, "test_seeds"))
        described["sources"] = (*described["sources"], published_scores.OPERATION_SCORES)
        return nb201_truth.load_runs(), described
    table = truth.load(SPACE, task)
    return table.rename(columns={"value": "accuracy"})[["key", "accuracy"]], table.attrs


def tables_of(
    task: str, runs: pd.DataFrame, rows: pd.DataFrame, printed: Mapping[str, Any]
) -> Tables:
    """Returns the tables of all sources; the benchmark's come first.

    On CIFAR-10 the authors' too: of their sheet, and disc-acc also as the paper prints it.
    """
    tables = {
        Label("best_acc", BENCHMARK): scores.from_accuracies(runs, "max"),
        Label("avg_acc", BENCHMARK): scores.from_accuracies(runs, "mean"),
    }
    if task == "cifar10":
        sheet = published_scores.load_operation_scores()
        for method in scores.METHODS:
            of_sheet = Label(method, SHEET, "", "" if method in scores.TABLED else "4")
            tables[of_sheet] = scores.from_sheet(sheet, method)
        values = printed["table_a2"]["disc_acc"]
        table = pd.DataFrame(values, columns=list(nb201.OPERATIONS)).rename_axis("edge")
        tables[Label("disc_acc", PRINTED, "", "1")] = table
    for method in scores.METHODS:
        for setting, group in rows[rows.method == method].groupby("setting"):
            ours = Label(method, OURS, str(setting), str(group.seed.nunique()))
            tables[ours] = scores.from_rows(group)
    return tables


def _table1(
    tables: Tables, runs: pd.DataFrame, paper: Mapping[str, Sequence[float]]
) -> pd.DataFrame:
    """Returns the cell that each score selects, with its error and rank, the paper's beside."""
    rows = []
    for label, table in sorted(tables.items(), key=lambda one: scores.METHODS.index(one[0].method)):
        cell = scores.select(table)
        place = scores.standing(cell, runs)
        error, rank = (place.error, place.rank) if place else (math.nan, None)
        paper_error, paper_rank = paper.get(label.method, (math.nan, math.nan))
        rows.append((*label, cell, error, rank, paper_error, paper_rank))
    columns = [*Label._fields, "cell", "error", "rank", "paper_error", "paper_rank"]
    return pd.DataFrame(rows, columns=columns).astype({"rank": "Int64", "paper_rank": "Int64"})


def write_tables(folder: Path, tables: Tables, rows: pd.DataFrame) -> None:
    """Writes all scores, edge by edge and one by one, and how they correlate with accuracies."""
    oracles = {label.method: one for label, one in tables.items() if label.scores == BENCHMARK}
    found = []
    for (method, setting), group in rows.groupby(["method", "setting"]):
        parts = [(str(seed), part) for seed, part in group.groupby("seed")]
        for seed, part in [*parts, ("mean of scores", group)]:
            table = scores.from_rows(part)
            against = [scores.correlation(table, one) for one in oracles.values()]
            found.append((method, setting, seed, *against))
    wide = pd.concat(tables, names=list(Label._fields)).reset_index()
    long = [scores.to_rows(one).assign(method=m, setting="") for m, one in oracles.items()]
    columns = [*MEASURED, "edge", "operation", "value"]
    for name, frame in (
        ("table_a2.csv", wide.drop(columns="search_seeds")),
        ("correlations.csv", pd.DataFrame(found, columns=[*MEASURED, *oracles])),
        (SCORES, pd.concat([*long, rows]).astype({"seed": "Int64"})[columns]),
    ):
        frame.to_csv(folder / name, index=False, lineterminator="\n")


def draw(folder: Path, tables: Tables, supernets: str) -> None:
    """Draws figure 2 as the paper has it, and with scores of our own where there are any."""
    paper = {one.method: table for one, table in tables.items() if one.scores in (SHEET, PRINTED)}
    ours = {
        f"{one.method} ({one.setting})" if one.setting else one.method: table
        for one, table in tables.items()
        if one.scores in (BENCHMARK, OURS)
    }
    about = {
        "paper": "The authors' scores; disc_acc as in table A2 (one search seed).",
        "ours": f"Accuracies of the benchmark; supernets on {supernets} a batch.",
    }
    titles = {"paper": "Zero-Cost-PT's scores", "ours": "our scores"}
    for name, drawn in (("paper", paper), ("ours", ours)):
        if len(drawn) > len(scores.TABLED):
            what = "Spearman's ρ over the operations of an edge, mean of six edges. "
            picture = figures.heatmap(
                scores.correlation_matrix(drawn),
                title=f"Figure 2 · {titles[name]}",
                subtitle=what + about[name],
            )
            figures.save(picture, folder / f"figure2_{name}", ("png",))


def _show(table1: pd.DataFrame, title: str) -> None:
    shown = table1.drop(columns="cell").astype(object).where(table1.notna(), "\N{EN DASH}")
    title = f"{title}: the best operation of every edge by itself"
    Console().print(plain_table(shown, title=title, float_format="%.2f"))

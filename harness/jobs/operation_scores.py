"""``job=operation_scores``: how well does a score tell which operation an edge needs?

Table 1, figure 2 and table A2 of the Zero-Cost-PT paper, from three sources: the benchmark's
accuracies, the authors' sheet of scores, and supernets of our own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness import figures, provenance, truth
from harness.config import Config
from harness.errors import HarnessError
from harness.jobs.base import jobs
from harness.paper.zero_cost_pt import printed
from harness.runs.operation_scores import Protocol, measure
from harness.search import operation_scores as scores
from harness.spaces import nb201
from harness.truth import nb201_test_seeds, published

SPACE = "nb201"
BENCHMARK, SHEET, PRINTED, OURS = "benchmark", "authors' sheet", "printed", "ours"


@dataclass(frozen=True)
class Scored:
    """One table of operation scores.

    Attributes:
        method: One of ``scores.METHODS``.
        source: Where it is from.
        setting: What was chosen; empty where nothing was.
        seeds: How many search seeds it is the mean of; empty where there are none.
        table: Edges × operations, higher is better.
    """

    method: str
    source: str
    setting: str
    seeds: str
    table: pd.DataFrame

    @property
    def label(self) -> str:
        """The name in figures."""
        return f"{self.method} ({self.setting})" if self.setting else self.method


def operation_scores(config: Config) -> Path:
    """Scores every operation of every edge and compares the scores with what accuracies say.

    Returns:
        The folder ``results/operation_scores/<space>/<task>``: ``scores.csv`` (every value),
        ``table1``, ``table_a2``, ``correlations.csv``, ``figure2_paper``, ``figure2_ours``.
    """
    if config.space != SPACE:
        raise HarnessError(
            f"Operation scores need the accuracies of a whole space, which {config.space} has not; "
            f"use space={SPACE}."
        )
    runs = _accuracies(config.task)
    folder = Path(config.results) / "operation_scores" / config.space / config.task
    protocol, rows = measure(config, folder)
    tables = [*_from_accuracies(runs), *_archived(config.task), *_measured(rows)]
    table1 = _table1(tables, runs, config.task)
    figures.write_tables(table1, folder / "table1", float_format="%.2f")
    figures.write_tables(_table_a2(tables), folder / "table_a2", float_format="%.2f")
    oracles = tables[: len(scores.TABLED)]
    figures.write_tables(_long(oracles, rows), folder / "scores", ("csv",))
    figures.write_tables(_correlations(oracles, rows), folder / "correlations", ("csv",))
    _draw(tables, folder, protocol)
    _record(config, folder, rows)
    title = f"{config.space} · {config.task}: the best operation of every edge by itself"
    shown = table1.drop(columns="cell").astype(object).where(table1.notna(), "\N{EN DASH}")
    Console().print(figures.plain_table(shown, title=title, float_format="%.2f"))
    return folder


def _accuracies(task: str) -> pd.DataFrame:
    """Returns ``key`` and ``accuracy``: of every training run on CIFAR-10, else means."""
    if task == "cifar10":
        return nb201_test_seeds.load_runs()
    return truth.load(SPACE, task).rename(columns={"value": "accuracy"})[["key", "accuracy"]]


def _from_accuracies(runs: pd.DataFrame) -> list[Scored]:
    return [
        Scored("best_acc", BENCHMARK, "", "", scores.from_accuracies(runs, "max")),
        Scored("avg_acc", BENCHMARK, "", "", scores.from_accuracies(runs, "mean")),
    ]


def _archived(task: str) -> list[Scored]:
    """Returns the authors' scores: of the sheet, and disc-acc also as the paper prints it."""
    if task != "cifar10":
        return []
    sheet = published.load_operation_scores()
    found = [
        Scored(
            method,
            SHEET,
            "",
            "" if method in scores.TABLED else "4",
            scores.from_sheet(sheet, method),
        )
        for method in scores.METHODS
    ]
    values = printed()["table_a2"]["disc_acc"]
    table = pd.DataFrame(values, columns=list(nb201.OPERATIONS)).rename_axis("edge")
    return [*found, Scored("disc_acc", PRINTED, "", "1", table)]


def _measured(rows: pd.DataFrame) -> list[Scored]:
    """Returns the means over seeds of what was measured, in the paper's order of methods."""
    return [
        Scored(method, OURS, str(setting), str(group["seed"].nunique()), scores.from_rows(group))
        for method in scores.METHODS
        for setting, group in rows[rows["method"] == method].groupby("setting")
    ]


def _table1(tables: list[Scored], runs: pd.DataFrame, task: str) -> pd.DataFrame:
    """Returns the cell that each score selects, with its error and rank, the paper's beside."""
    paper = printed()["table1"] if task == "cifar10" else {}
    nothing = [float("nan"), float("nan")]
    found = []
    for scored in sorted(tables, key=lambda scored: scores.METHODS.index(scored.method)):
        key = scores.select(scored.table)
        place = scores.standing(key, runs)
        error, rank = paper.get(scored.method, nothing)
        found.append(
            {
                "method": scored.method,
                "scores": scored.source,
                "setting": scored.setting,
                "search_seeds": scored.seeds,
                "cell": key,
                "error": place.error if place else float("nan"),
                "rank": place.rank if place else None,
                "paper_error": error,
                "paper_rank": rank,
            }
        )
    return pd.DataFrame(found).astype({"rank": "Int64", "paper_rank": "Int64"})


def _table_a2(tables: list[Scored]) -> pd.DataFrame:
    return pd.concat(
        [
            scored.table.reset_index().assign(
                method=scored.method, scores=scored.source, setting=scored.setting
            )
            for scored in tables
        ]
    )[["method", "scores", "setting", "edge", *nb201.OPERATIONS]]


def _long(tabled: list[Scored], rows: pd.DataFrame) -> pd.DataFrame:
    """Returns every score: of the benchmark without a seed, of supernets seed by seed."""
    columns = ["method", "setting", "seed", "edge", "operation", "value"]
    parts = [scores.to_rows(s.table).assign(method=s.method, setting="") for s in tabled]
    measured = rows.sort_values(["method", "setting", "seed", "edge"], kind="stable")
    return pd.concat([*parts, measured]).astype({"seed": "Int64"})[columns]


def _correlations(tabled: list[Scored], rows: pd.DataFrame) -> pd.DataFrame:
    """Correlates each seed's scores, and their mean over seeds, with what accuracies say."""
    found = []
    for (method, setting), group in rows.groupby(["method", "setting"]):
        parts = [(str(seed), part) for seed, part in group.groupby("seed")]
        for seed, part in [*parts, ("mean of scores", group)]:
            table = scores.from_rows(part)
            against = {s.method: scores.correlation(table, s.table) for s in tabled}
            found.append({"method": method, "setting": setting, "seed": seed, **against})
    return pd.DataFrame(found, columns=["method", "setting", "seed", *(s.method for s in tabled)])


def _draw(tables: list[Scored], folder: Path, protocol: Protocol) -> None:
    """Draws figure 2 as the paper has it, and with our own scores where there are any."""
    paper = {s.method: s.table for s in tables if s.source == SHEET}
    paper |= {s.method: s.table for s in tables if s.source == PRINTED}
    ours = {s.label: s.table for s in tables if s.source in (BENCHMARK, OURS)}
    what = "Spearman's ρ over the operations of an edge, mean of six edges. "
    if paper:
        subtitle = what + "The authors' scores; disc_acc as in table A2 (one search seed)."
        _heatmap(paper, "Figure 2 · Zero-Cost-PT's scores", subtitle, folder / "figure2_paper")
    if len(ours) > len(scores.TABLED):
        subtitle = (
            what + f"Accuracies of the benchmark; supernets on {protocol.inputs.source}, mean of "
            f"seeds, {protocol.images} images a batch."
        )
        _heatmap(ours, "Figure 2 · our scores", subtitle, folder / "figure2_ours")


def _heatmap(tables: dict[str, pd.DataFrame], title: str, subtitle: str, path: Path) -> None:
    matrix = scores.correlation_matrix(tables)
    figures.save(figures.heatmap(matrix, title=title, subtitle=subtitle), path)


def _record(config: Config, folder: Path, rows: pd.DataFrame) -> None:
    """Writes ``run.json``, which names both outside tables."""
    variant = "test_seeds" if config.task == "cifar10" else "default"
    described = asdict(truth.describe(SPACE, config.task, variant))
    if config.task == "cifar10":
        described["sources"] = (*described["sources"], published.OPERATION_SCORES)
    stored = rows[["method", "setting", "seed"]].drop_duplicates().to_dict("records")
    resolved = {"stored": stored}
    provenance.write(folder / "run.json", config, resolved, described)


jobs.add("operation_scores", operation_scores)

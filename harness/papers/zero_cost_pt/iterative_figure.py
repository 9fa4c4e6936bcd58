"""Figure A1 of the Zero-Cost-PT paper: operation scores while edges are decided one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from harness import figures
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.comparison import Row, absent, compared
from harness.papers.paper_artefacts import artefact
from harness.papers.zero_cost_pt.search_tables import printed
from harness.results.folder import read_record
from harness.results.layout import CORRELATIONS
from harness.results.stored_table import stored_table
from harness.search.zero_cost_pt.iterative_measurement import METHODS
from harness.search.zero_cost_pt.operation_tables import TRAINED
from harness.stats.verdict import of_mean

AUTHORS = "authors' logs"
MADE_BY = "make iterative-scores"
PAPERS_TASK = "cifar10"
NAMES = {method: method.replace("_", "-") for method in METHODS}


def of_authors() -> pd.DataFrame:
    """Returns ``scores``, ``method``, ``seed``, ``iteration`` and ``best_acc`` of the authors."""
    rows = [
        (AUTHORS, method, seed, iteration, rho)
        for method, table in printed()["figure_a1"].items()
        for seed, row in enumerate(table)
        for iteration, rho in enumerate(row)
    ]
    return pd.DataFrame(rows, columns=["scores", "method", "seed", "iteration", "best_acc"])


def of_ours(results: StoredResults) -> pd.DataFrame:
    """Returns the same of what is stored, and its ``task``; ``scores`` says how it was made.

    Raises:
        DataError: If there is nothing, or it is damaged.
    """
    folders = sorted(results.folder.glob(f"iterative_scores/nb201/*/{CORRELATIONS}"))
    if not folders:
        raise DataError(f"No operation scores of iterations are stored; make them: `{MADE_BY}`.")
    return pd.concat(map(_read, results.reading([path.parent for path in folders])))


def _read(folder: Path) -> pd.DataFrame:
    table = stored_table(folder, CORRELATIONS)
    conditions = read_record(folder)["conditions"]["methods"]
    on = "" if folder.name == PAPERS_TASK else f" on {folder.name}"

    def named(method: str, setting: str) -> str:
        images = conditions[f"{method}: {setting}"].get("images")  # of a batch, without training
        return f"ours{on}, {setting}" + (f", {images} images" if images else "")

    return table.assign(
        task=folder.name, scores=list(map(named, table["method"], table["setting"]))
    )


def means(found: pd.DataFrame) -> pd.DataFrame:
    """Returns mean, deviation (ddof 1) and range over seeds, per kind, method and iteration."""
    by = found.groupby(["scores", "method", "iteration"], sort=False)["best_acc"]
    table = by.agg(["mean", "std", "min", "max", "size"])
    return table.rename(columns={"size": "search_seeds"}).reset_index()


@artefact("zcpt_figureA1", "figure")
def figure_a1(results: StoredResults) -> Drawn:
    """Draws ρ with best-acc against the iteration, a panel per method: the authors' and ours."""
    table = means(pd.concat([of_authors(), of_ours(results)]))
    panels = [
        figures.CurvePanel(
            NAMES[method],
            [
                figures.Curve(
                    f"{title}, n = {mine['search_seeds'].min()}", mine["iteration"], mine["mean"]
                )
                for title, mine in table[table["method"] == method].groupby("scores", sort=False)
            ],
            x_ticks=range(6),
        )
        for method in METHODS
    ]
    picture = figures.curves(
        panels,
        "Figure A1 · Operation scores, iteration by iteration",
        "Spearman's ρ with best-acc over the operations of an edge, mean of the undecided edges "
        "and of n search seeds. In iteration i, i edges are decided. The paper trains supernets "
        "for 100 epochs.",
        x_label="iteration",
        y_label="ρ with best-acc",
        markers=True,
    )
    return Drawn({"zcpt_figureA1": table}, {"zcpt_figureA1": picture})


def iteration_rows(results: StoredResults, source: str) -> Iterator[Row]:
    """Yields the correlation of every iteration, of the scores that take no training."""
    paper = means(of_authors()).set_index(["method", "iteration"])
    try:
        found = of_ours(results)
    except DataError:
        yield absent(source, "figure A1", "nb201/cifar10", "all rows", MADE_BY)
        return
    mine = found[(found["task"] == PAPERS_TASK) & ~found["method"].isin(TRAINED)]
    for row in means(mine).to_dict("records"):
        theirs = paper.loc[(row["method"], row["iteration"])]
        yield compared(
            source,
            "figure A1",
            f"{row['method']}: {row['scores']}",
            f"ρ with best-acc, iteration {row['iteration']}",
            paper=of_mean(theirs["mean"], theirs["std"], int(theirs["search_seeds"])),
            ours=of_mean(row["mean"], row["std"], row["search_seeds"]),
            why=f"{row['search_seeds']} random supernets; theirs: {theirs['search_seeds']:.0f} on "
            "256 images a batch",
            scale=1,
        )

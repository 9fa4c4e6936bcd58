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
from harness.search.zero_cost_pt.iterative_scores import METHODS
from harness.search.zero_cost_pt.operation_tables import TRAINED
from harness.stats.verdict import of_mean

STUDY = "iterative_scores"
"""Every study whose name begins so is shown: of other images, or of supernets trained otherwise."""
AUTHORS = "authors' logs"
MADE_BY = "make iterative-scores"
NAMES = {method: method.replace("_", "-") for method in METHODS}


def of_authors() -> pd.DataFrame:
    """Returns ``method``, ``seed``, ``iteration`` and ``best_acc`` of the authors' own scores."""
    return pd.DataFrame(
        [
            (method, seed, iteration, rho)
            for method, rows in printed()["figure_a1"].items()
            for seed, row in enumerate(rows)
            for iteration, rho in enumerate(row)
        ],
        columns=["method", "seed", "iteration", "best_acc"],
    )


def studies(results: StoredResults) -> dict[str, pd.DataFrame]:
    """Returns the correlations of every stored study by what it is, as its title says it.

    Raises:
        DataError: If there is none, or one is damaged.
    """
    folders = sorted(results.folder.glob(f"{STUDY}*/nb201/cifar10/{CORRELATIONS}"))
    if not folders:
        raise DataError(f"No operation scores of iterations are stored; make them: `{MADE_BY}`.")
    read = results.reading([path.parent for path in folders])
    return {_title(one): stored_table(one, CORRELATIONS) for one in read}


def _title(folder: Path) -> str:
    """Names what a reader must know of a study: images per batch, or how supernets were trained."""
    record = read_record(folder)
    config, methods = record["config"], record["conditions"]["methods"]
    recipe, side = config["train_supernet"], config["inputs"]["crop"]
    trained = {name.partition(":")[0] for name in methods} <= set(TRAINED)
    images = f"{recipe['images'] if trained else config['search']['images']} images"
    course = f"{recipe['epochs']} epochs, " if trained else ""
    return f"ours, {course}{images}" + (f" of {side}×{side}" if side else "")


def means(found: pd.DataFrame) -> pd.DataFrame:
    """Returns mean, deviation (ddof 1) and range over seeds, per method and iteration."""
    by = found.groupby(["method", "iteration"])["best_acc"]
    table = by.agg(["mean", "std", "min", "max", "size"])
    return table.rename(columns={"size": "search_seeds"}).reset_index()


@artefact("zcpt_figureA1", "figure")
def figure_a1(results: StoredResults) -> Drawn:
    """Draws ρ with best-acc against the iteration, a panel per method: the authors' and ours."""
    parts = {AUTHORS: of_authors()} | studies(results)
    table = pd.concat([means(one).assign(scores=title) for title, one in parts.items()])
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
    return Drawn({"zcpt_figureA1": table.reset_index(drop=True)}, {"zcpt_figureA1": picture})


def iteration_rows(results: StoredResults, source: str) -> Iterator[Row]:
    """Yields the correlation of every iteration, of the scores that take no training."""
    paper = means(of_authors()).set_index(["method", "iteration"])
    where = (source, "figure A1", "nb201/cifar10")
    try:
        found = studies(results)
    except DataError:
        yield absent(*where, "all rows", MADE_BY)
        return
    for title, study in found.items():
        for row in means(study[~study["method"].isin(TRAINED)]).to_dict("records"):
            theirs = paper.loc[(row["method"], row["iteration"])]
            yield compared(
                *where[:2],
                f"{NAMES[row['method']]}: {title}",
                f"ρ with best-acc, iteration {row['iteration']}",
                paper=of_mean(theirs["mean"], theirs["std"], int(theirs["search_seeds"])),
                ours=of_mean(row["mean"], row["std"], int(row["search_seeds"])),
                why=f"{row['search_seeds']} random supernets of ours, {theirs['search_seeds']:.0f} "
                "of theirs",
                scale=1,
            )

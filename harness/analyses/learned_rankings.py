"""What do proxies add where some architectures are trained?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd

from harness import figures
from harness.analyses.by_column import RESAMPLED
from harness.analyses.fitted_models import CURVES, SCORED
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.core.printing import estimate
from harness.results.layout import RECORD
from harness.results.stored_table import stored_table

STUDY = "predictors"
"""Where ``make predictors`` leaves the curves."""
MODEL = "forest"
"""The model of the picture and of the sentence; the table has all."""
ENCODED, PROXIES, SIZE = "encoding", "proxies", 100
OURS = ("architectures", "model", "trained", "spearman", "std", "low", "high", "splits", "n")


@analysis("predictors", "What do proxies add where some architectures are trained?", chapter=70)
def predictors(results: StoredResults) -> Drawn:
    """Draws how well fitted models rank, by what they know of an architecture and how many."""
    root = results.folder / STUDY
    folders = [path.parent for path in sorted(root.glob(f"*/*/{RECORD}"))]
    if not folders:
        raise DataError(f"there is nothing in {root}; run make predictors first.")
    parts = [
        stored_table(folder, f"{CURVES}.csv", ("features", *OURS))
        for folder in results.reading(folders)
    ]
    names = [folder.relative_to(root).as_posix() for folder in folders]
    for name, part in zip(names, parts, strict=True):
        part.insert(0, "column", name)
    table = pd.concat(parts, ignore_index=True)
    shown = table[(table["model"] == MODEL) & (table["architectures"] == SCORED)]
    splits = "–".join(map(str, sorted({table["splits"].min(), table["splits"].max()})))
    picture = figures.curves(
        [
            figures.CurvePanel(
                f"{name} (n = {own['n'].iloc[0]})",
                [
                    figures.Curve(str(kind), rows["trained"], rows["spearman"])
                    for kind, rows in own.groupby("features", sort=False)
                ],
                sorted(set(own["trained"])),
            )
            for name, own in shown.groupby("column", sort=False)
        ],
        "What models learn from trained architectures",
        f"Spearman's ρ of a random forest's predictions for up to 1000 others; mean of {splits} "
        "splits. " + RESAMPLED.replace("95", "In the table, 95"),
        x_label="trained architectures",
        y_label="Spearman's ρ",
        markers=True,
        log_x=True,
    )
    tables, printed = {"predictors": table}, beside_printed(table)
    if len(printed):
        tables["predictors_printed"] = printed
    return Drawn(tables, {"predictors": picture}, _finding(shown))


def beside_printed(table: pd.DataFrame) -> pd.DataFrame:
    """Sets printed correlations beside ours.

    Args:
        table: Columns ``column`` and those of ``stats.learning_curves``.

    Returns:
        One row per printed number of a column that is there and model of ours: ``source``,
        ``column``, ``features``, ``printed_model``, ``printed_trained`` (missing where not given),
        ``printed``, ``printed_std``, and of ours, among the same architectures if there are any
        with these features, at as many trained ones or, if there are none or it is not known how
        many, at the most: ``architectures``, ``model``, ``trained``, ``spearman``, ``std``,
        ``low``, ``high``, ``splits``, ``n``.
    """
    with Path(__file__).with_name("printed_predictors.toml").open("rb") as file:
        listed = tomllib.load(file)["printed"]
    rows = []
    for one in listed:
        for kind, numbers in one["features"].items():
            of_kind = table[(table["column"] == one["column"]) & (table["features"] == kind)]
            alike = of_kind[of_kind["architectures"] == one.get("architectures", SCORED)]
            said = {"source": one["source"], "column": one["column"], "features": kind}
            said |= {"printed_model": one["model"], "printed_trained": one.get("trained")}
            said |= dict(zip(("printed", "printed_std"), numbers, strict=False))
            for _, own in (alike if len(alike) else of_kind).groupby("model", sort=False):
                same = own[own["trained"] == one.get("trained")]
                ours = same if len(same) else own.nlargest(1, "trained")
                rows += [said | row for row in ours[[*OURS]].to_dict("records")]
    return pd.DataFrame(rows)


def _finding(shown: pd.DataFrame) -> str:
    at = shown[shown["trained"] == SIZE]
    at = at if len(at) else shown[shown["trained"] == shown["trained"].min()]
    largest = at.sort_values("n", ascending=False, kind="stable")["column"].iloc[0]
    rows = at[at["column"] == largest].set_index("features")
    best = rows["spearman"].sort_values().index[-1]
    first = rows.iloc[0]
    told = {
        str(name): estimate(row["spearman"], row["low"], row["high"])
        for name, row in rows.iterrows()
    }
    return (
        f"From {first['trained']} trained architectures of {largest} (n = {first['n']}) a "
        f"{MODEL} ranks the others with ρ = {told[ENCODED]} if it sees their encoding, "
        f"{told[PROXIES]} if it sees proxies, and at best {told[str(best)]} ({best})."
    )

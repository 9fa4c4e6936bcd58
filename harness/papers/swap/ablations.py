"""Tables 4 to 6: what μ and σ of the regulariser do to the correlation, from stored scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import stats
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.comparison import NEGLIGIBLE
from harness.papers.paper_artefacts import artefact
from harness.papers.swap import printed as published
from harness.results.finished import Result
from harness.results.layout import SCORES
from harness.spaces.space import spaces
from harness.stats.ablation import DECIMALS

STUDY = "ablation"
"""Every study whose name begins so is a sample of its own: other images, another way to draw."""
READINGS = {
    "ours": "as defined",
    "ours_rounded": f"factor rounded to {DECIMALS} decimals",
    "ours_log": "without underflow",
    "ours_without_auxiliary": "Θ without the auxiliary head",
}
"""What the paper may have computed, by the column that holds ours, the plainest first."""


def samples(results: StoredResults, space: str) -> dict[str, Result]:
    """Returns the stored swap scores of all groups by study.

    They are those of every ablation, else of the study that figures show.

    Raises:
        DataError: If there is none.
    """
    folders = sorted(results.folder.glob(f"{STUDY}*/{space}/cifar10/{SCORES}"))
    names = [path.relative_to(results.folder).parts[0] for path in folders]
    return {name: results.column(space, "cifar10", study=name) for name in names or [results.study]}


def images_of(column: Result) -> int:
    """Returns how many images swap was shown."""
    return int(column.record["resolved"]["settings"]["swap"]["images"])


def groups(column: Result) -> pd.DataFrame:
    """Returns Ψ, Θ and the accuracy of the evaluation groups: every seed but 0.

    ``theta`` is the size that the paper's histograms show, ``built`` that of the scored network.

    Appendix B takes group 0 for the size distribution alone. Θ is in millions of parameters, on
    NAS-Bench-301 with the auxiliary head: only so do the paper's size ranges come out.

    Raises:
        DataError: If no group but 0 is stored, or a score is missing.
    """
    rows = column.scores[(column.scores["proxy"] == "swap") & (column.scores["seed"] != 0)]
    if rows.empty:
        raise DataError(
            f"{column.name} holds no swap scores of seeds 1 to 5; make them with "
            "`make ablation-scores`."
        )
    if not (rows["status"] == "ok").all():
        failed = int((rows["status"] != "ok").sum())
        raise DataError(f"{failed} swap scores of {column.name} have no value; score them again.")
    space = spaces.get(column.space)
    built = {key: space.count_params(key, column.task) / 1e6 for key in rows["key"].unique()}
    theta = sizes(column.space, column.task, rows["key"])
    return rows.assign(theta=theta, built=rows["key"].map(built))


def sizes(space: str, task: str, keys: pd.Series[str]) -> pd.Series[float]:
    """Returns Θ of architectures in millions of parameters."""
    counted = {key: spaces.get(space).theta_params(key, task) for key in keys.unique()}
    return keys.map(counted) / 1e6


def swept(column: Result, table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Repeats one of the tables.

    Args:
        column: Stored scores of its space.
        table: ``table4``, ``table5`` or ``table6``.

    Returns:
        The wide table (a row per printed row: mean of the paper's five groups, of ours with its
        interval, their difference, ours in every other reading, the first reading that meets the
        paper's groups, and every group) and the tidy one of ``stats.sweep``.
    """
    paper = published.ablation(table)
    grid = [
        (None, None) if block == "none" else (mu, sigma)
        for block, mu, sigma in paper[["block", "mu", "sigma"]].itertuples(index=False)
    ]
    scores = groups(column)
    ours = [stats.sweep(scores, [pair]) for pair in grid]
    tidy = pd.concat(
        [rows.assign(block=block) for block, rows in zip(paper["block"], ours, strict=True)],
        ignore_index=True,
    )
    printed = paper.filter(like="group")
    wide = paper[["block", "mu", "sigma"]].assign(
        paper=printed.mean(axis="columns"),
        paper_range=[f"{low:.2f} to {high:.2f}" for low, high in _ends(printed)],
        ours=[rows["spearman"].mean(skipna=False) for rows in ours],
        difference=np.nan,
        **_intervals(scores, grid),
        ours_log=[rows["spearman_log"].mean(skipna=False) for rows in ours],
        ours_rounded=[rows["spearman_rounded"].mean(skipna=False) for rows in ours],
        largest_tie=[int(rows["tied"].max()) for rows in ours],
    )
    if not scores["theta"].equals(scores["built"]):  # NAS-Bench-301: the auxiliary head
        other = scores.assign(theta=scores["built"])
        means = [stats.sweep(other, [pair])["spearman"].mean(skipna=False) for pair in grid]
        wide["ours_without_auxiliary"] = means
    wide["difference"] = wide["ours"] - wide["paper"]
    wide["meets_paper"] = _met(wide, printed)
    for i, seed in enumerate(sorted(tidy["seed"].unique())):
        wide[f"seed{seed}"] = [rows["spearman"].iloc[i] for rows in ours]
    wide["n"] = int(tidy["n"].min())
    return wide, tidy


def _intervals(
    scores: pd.DataFrame, grid: list[tuple[float | None, float | None]]
) -> dict[str, list[float]]:
    """Returns the ends of the interval of every row's mean over groups."""
    theta = scores["theta"]
    products = [
        scores.assign(proxy=i, value=stats.regularised(scores["value"], theta, mu, sigma))
        for i, (mu, sigma) in enumerate(grid)
    ]
    found = stats.summary(pd.concat(products)).sort_values("proxy")
    return {name: found[f"spearman_{name}"].tolist() for name in ("low", "high")}


def _met(wide: pd.DataFrame, printed: pd.DataFrame) -> list[str]:
    """Names the first reading whose mean is as good as within the paper's groups, row by row."""
    return [
        next(
            (
                meaning
                for name, meaning in READINGS.items()
                if name in row and low - NEGLIGIBLE <= row[name] <= high + NEGLIGIBLE
            ),
            "",
        )
        for row, (low, high) in zip(wide.to_dict("records"), _ends(printed), strict=True)
    ]


def _ends(printed: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(printed.min(axis="columns"), printed.max(axis="columns"), strict=True))


def _drawn(results: StoredResults, space: str, table: str) -> Drawn:
    parts = {}
    for name, column in samples(results, space).items():
        own = {"sample": name, "images": images_of(column)}
        parts[name] = [own | rows.to_dict("list") for rows in swept(column, table)]
    wide, tidy = (
        pd.concat(map(pd.DataFrame, each), ignore_index=True)
        for each in zip(*parts.values(), strict=True)
    )
    return Drawn({table: wide, f"{table}_groups": tidy})


@artefact("table4", "table")
def table4(results: StoredResults) -> Drawn:
    """Sweeps NAS-Bench-101."""
    return _drawn(results, "nb101", "table4")


@artefact("table5", "table")
def table5(results: StoredResults) -> Drawn:
    """Sweeps NAS-Bench-201."""
    return _drawn(results, "nb201", "table5")


@artefact("table6", "table")
def table6(results: StoredResults) -> Drawn:
    """Sweeps NAS-Bench-301."""
    return _drawn(results, "nb301", "table6")

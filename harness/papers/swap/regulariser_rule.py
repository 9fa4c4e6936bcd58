"""Beyond the paper: the regulariser with μ the largest size and σ = c·μ², from stored scores.

μ = σ = the largest size, as in the best rows of tables 4 to 6, depends on the unit in which sizes
are counted: the factor is exp(−μ (Θ/μ − 1)²). With σ = c·μ² it is exp(−(Θ/μ − 1)²/c) in any unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from harness import figures, stats
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.papers.swap.ablations import sizes
from harness.papers.swap.heatmaps import FURTHER_COLUMNS, PAPER_COLUMNS, available
from harness.passes.settings import AUTO_WIDTH
from harness.results.finished import SPACES, TASKS, Result

WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
PER_PANEL = 4


def swept_widths(column: Result) -> pd.DataFrame:
    """Correlates Ψ · exp(−(Θ/μ − 1)²/c) with the accuracy, μ the largest size that was scored.

    Returns:
        One row per c, and one each for Θ alone (c = 0) and Ψ alone (c = ∞), its limits: ``column``,
        ``c``, ``spearman`` (mean over seeds), ``low``, ``high``, ``n``, ``seeds``; empty if no
        score of swap has a value.
    """
    rows = column.scores[(column.scores["proxy"] == "swap") & (column.scores["status"] == "ok")]
    if rows.empty:
        return pd.DataFrame()
    psi, theta = rows["value"], sizes(column.space, column.task, rows["key"])
    mu = float(theta.max())
    parts = [rows.assign(proxy=0.0, value=theta), rows.assign(proxy=math.inf, value=psi)]
    for c in WIDTHS:
        value = stats.log_regularised(psi, theta, mu, c * mu**2)
        parts.append(rows.assign(proxy=c, value=value))
    scores = pd.concat(parts)
    summary = stats.summary(scores).sort_values("proxy", ignore_index=True)
    names = {"proxy": "c", "spearman_mean": "spearman", "spearman_low": "low"}
    names |= {"spearman_high": "high"}
    kept = summary.rename(columns=names)[[*names.values(), "n", "seeds"]]
    return kept.assign(column=column.name)[["column", *kept.columns]]


@artefact("regulariser_rule", "figure")
def regulariser_rule(results: StoredResults) -> Drawn:
    """Draws the correlation against c, a panel per space."""
    columns = available(results, [*PAPER_COLUMNS, *FURTHER_COLUMNS])
    found = {column: swept_widths(column) for column in columns}
    found = {column: rows for column, rows in found.items() if len(rows)}
    if not found:
        raise DataError(f"{results.folder} holds no swap scores; make them with `make study`.")
    table = pd.concat(found.values(), ignore_index=True)
    panels = [
        panel
        for space in dict.fromkeys(column.space for column in found)
        for panel in _panels([one for one in found if one.space == space], found)
    ]
    figure = figures.curves(
        panels,
        "The regulariser with σ = c·μ²",
        "Ψ · exp(−(Θ/μ − 1)²/c), μ the largest size; mean ρ over seeds. Towards the left Θ alone "
        f"decides, towards the right Ψ. The default without printed values is c = {AUTO_WIDTH:g}. "
        "In brackets: seeds × architectures.",
        x_label="log₂ c",
        y_label="Spearman's ρ",
        markers=True,
    )
    return Drawn({"regulariser_rule": table}, {"regulariser_rule": figure})


def _panels(
    columns: Sequence[Result], found: dict[Result, pd.DataFrame]
) -> list[figures.CurvePanel]:
    """Returns a space's curves, a few to a panel."""
    curves = []
    for column in columns:
        rows = found[column][found[column]["c"].between(WIDTHS[0], WIDTHS[-1])]
        name = f"{TASKS.get(column.task, column.task)} ({column.seeds}×{column.n})"
        curves.append(figures.Curve(name, [math.log2(c) for c in rows["c"]], rows["spearman"]))
    title = SPACES.get(columns[0].space, columns[0].space)
    ticks = [math.log2(c) for c in WIDTHS]
    return [
        figures.CurvePanel(title, curves[start : start + PER_PANEL], ticks)
        for start in range(0, len(curves), PER_PANEL)
    ]

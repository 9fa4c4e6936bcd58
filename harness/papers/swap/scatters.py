"""Figures 16 and 17: SWAP-Scores against accuracies, one panel per space and task."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness import figures
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.papers.swap.heatmaps import PAPER_COLUMNS, STAND_IN, available
from harness.results.finished import SPACES, Result, label


@artefact("figure16", "figure")
def figure16(results: StoredResults) -> Drawn:
    """Draws swap."""
    return _scatters(results, "swap", "figure16", "Figure 16 · SWAP-Score against accuracy")


@artefact("figure17", "figure")
def figure17(results: StoredResults) -> Drawn:
    """Draws reg_swap."""
    title = "Figure 17 · Regularised SWAP-Score against accuracy"
    return _scatters(results, "reg_swap", "figure17", title)


def _scatters(results: StoredResults, proxy: str, name: str, title: str) -> Drawn:
    columns = available(results, PAPER_COLUMNS)
    scored = [c for c in columns if proxy in set(c.scores["proxy"])]
    if not scored:
        raise DataError(f"{proxy} is scored in no column of the paper; make it with `make study`.")
    rows = [_summary(c, proxy) for c in scored]
    table = pd.DataFrame(rows)
    shown = [_panel(c, proxy, row) for c, row in zip(scored, rows, strict=True)]
    missing = [
        label(*key) for key in PAPER_COLUMNS if f"{key[0]}/{key[1]}" not in set(table.column)
    ]
    lines = [
        "Points: the architectures of the lowest seed, colours tell the search spaces apart. "
        "ρ: mean ± standard deviation over seeds; n: seeds × architectures. "
        "Of the autoencoder, structural similarity stands in place of accuracy.",
        f"Undefined scores: {table.n_undefined.sum()}; runs that failed: {table.n_failed.sum()}.",
    ]
    crowded = [f"{c.label} {c.crowded[proxy]:.0%}" for c in scored if proxy in c.crowded]
    if crowded:
        lines.append(f"Scores at their ceiling: {', '.join(crowded)}.")
    if any(c.stand_in for c in scored):
        lines.append(f"{STAND_IN} stand-in images: not the task's own data set.")
    if missing:
        lines.append(f"Not stored here: {', '.join(missing)}.")
    figure = figures.panels(shown, title, "\n".join(lines), truth_label="accuracy (%)")
    return Drawn({name: table}, {name: figure})


def _summary(column: Result, proxy: str) -> dict[str, Any]:
    kept = {
        name: v
        for name, v in column.summary_of(proxy).items()
        if name not in ("space", "task", "proxy")
    }
    return {"column": column.name, "images": column.images, **kept}


def _panel(column: Result, proxy: str, row: dict[str, Any]) -> figures.Panel:
    rows = column.scores[column.scores["proxy"] == proxy]
    spread = f" ± {row['spearman_std']:.2f}" if row["seeds"] > 1 else ""
    rho = figures.printed(row["spearman_mean"])
    return figures.Panel(
        f"{column.label}{STAND_IN if column.stand_in else ''}\n"
        f"ρ = {rho}{spread}, n = {row['seeds']}×{row['n']}",
        rows[rows["seed"] == rows["seed"].min()],
        SPACES.get(column.space, column.space),
    )

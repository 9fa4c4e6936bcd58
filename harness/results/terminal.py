"""The closing table of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from rich import box
from rich.table import Table

from harness.core.printing import DASH, printed
from harness.proxies.contract import seeing_truth
from harness.stats.bootstrap import FEWEST
from harness.stats.summary import CROWDED

DISPENSABLE = ("Kendall\nτ", "s per\narch.")
"""Columns that a narrow terminal does without, the first first."""


def results_table(
    summary: pd.DataFrame,
    seconds: Mapping[str, float] | None = None,
    *,
    title: str | None = None,
    confidence: float = 0.95,
    width: int = 80,
) -> Table:
    """Lays out a summary for a terminal; print it with ``rich``.

    Args:
        summary: The result of ``stats.summary``; its order is kept.
        seconds: Mean time per architecture of each proxy, in seconds.
        title: Line above the table.
        confidence: Coverage of the summary's interval, for the heading.
        width: Of the terminal: columns move together, and those that need not be there go, before
            names are broken.

    Returns:
        One line per proxy; a star marks what was made with the accuracies. Columns of undefined
        scores and failed runs (totals over all seeds) are there only if there are any.
    """
    seeing = seeing_truth(summary["proxy"])
    names = [f"{name}*" if name in seeing else name for name in summary["proxy"]]
    columns = _columns(summary, seconds, confidence)
    wide = int(_width(names, columns, gap=2) <= width)
    for heading in DISPENSABLE:
        if _width(names, columns, gap=1) > width:
            columns.pop(heading, None)
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, wide, 0, 0),  # beside the space that the box puts there
    )
    # Where it gets narrow, a long name goes on a second line; numbers are never cut.
    table.add_column("proxy", overflow="fold")
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    cells = zip(names, *columns.values(), strict=True)
    for row in cells:
        table.add_row(*row)
    return table


def notes(summary: pd.DataFrame) -> list[str]:
    """Says which numbers are not what they seem.

    Those of proxies that look at the accuracies; and of those of which many scores are as large as
    can be, so that their order is lost.
    """
    seeing = seeing_truth(summary["proxy"])
    told = [f"* {' and '.join(seeing)}: made with the accuracies, not zero-cost."] if seeing else []
    shares = summary.get("at_ceiling", pd.Series(np.nan, index=summary.index))
    return told + [
        f"{share:.0%} of the {proxy} scores are at their ceiling."
        for proxy, share in zip(summary["proxy"], shares, strict=True)
        if share > CROWDED
    ]


def dashes(summary: pd.DataFrame, scores: pd.DataFrame) -> list[str]:
    """Says in one line why the closing table has dashes; nothing where it has none.

    Args:
        summary: The result of ``stats.summary``.
        scores: What it was made of; ``status`` and ``message`` hold the reasons.
    """
    reasons: dict[str, list[str]] = {}
    for proxy in summary["proxy"][summary["spearman_mean"].isna()]:
        reasons.setdefault(_why(scores[scores["proxy"] == proxy]), []).append(proxy)
    told = [f"{', '.join(proxies)}: {reason}" for reason, proxies in reasons.items()]
    if (summary["n"] < FEWEST).any():
        told.append(f"no interval of fewer than {FEWEST} architectures")
    return [f"{DASH} {'; '.join(told)}."] if told else []


def _why(scores: pd.DataFrame) -> str:
    """Says why a proxy has no correlation."""
    without = scores[scores["status"] != "ok"]
    if len(without) < len(scores):
        return "all scores of a seed are equal"
    undefined = without[without["status"] == "undefined"]
    what, rows = (
        ("not defined on this column", undefined) if len(undefined) else ("failed", without)
    )
    return f"{what} ({rows['message'].mode()[0]})"


def plain_table(frame: pd.DataFrame, *, title: str, float_format: str = "%.3f") -> Table:
    """Lays out any table for a terminal; NaN is a dash."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for name in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(str(name).replace("_", "\n", 1), justify="right" if numeric else "left")
    for row in frame.itertuples(index=False):
        cells = [
            (DASH if np.isnan(cell) else float_format % cell) if isinstance(cell, float) else cell
            for cell in row
        ]
        table.add_row(*map(str, cells))
    return table


def _columns(
    summary: pd.DataFrame, seconds: Mapping[str, float] | None, confidence: float
) -> dict[str, list[str]]:
    """Heading and cells of every column after the proxy's name."""
    columns = {
        "Spearman ρ\nmean ± sd": [
            _mean(m, s)
            for m, s in zip(summary["spearman_mean"], summary["spearman_std"], strict=True)
        ],
        f"{confidence:.0%}\ninterval": [
            _interval(low, high) if n >= FEWEST else DASH
            for low, high, n in zip(
                summary["spearman_low"], summary["spearman_high"], summary["n"], strict=True
            )
        ],
        "Kendall\nτ": [printed(value) for value in summary["kendall_mean"]],
        "n": [str(n) for n in summary["n"]],
    }
    for heading, name in (("undef.", "n_undefined"), ("failed", "n_failed")):
        if summary[name].any():
            columns[heading] = [str(count) for count in summary[name]]
    if seconds is not None:
        columns["s per\narch."] = [_seconds(seconds.get(proxy)) for proxy in summary["proxy"]]
    return columns


def _width(names: Sequence[str], columns: Mapping[str, Sequence[str]], gap: int) -> int:
    """Returns how many letters a table is wide whose cells are not broken."""
    headed = [(heading.split("\n"), cells) for heading, cells in columns.items()]
    parts = [["proxy", *names], *([*words, *cells] for words, cells in headed)]
    return sum(max(map(len, part)) for part in parts) + gap * (len(parts) - 1)


def _mean(mean: float, deviation: float) -> str:
    if np.isnan(mean) or np.isnan(deviation):
        return printed(mean)
    return f"{printed(mean)} ± {deviation:.2f}"


def _interval(low: float, high: float) -> str:
    return DASH if np.isnan(low) else f"[{printed(low)}, {printed(high)}]"


def _seconds(value: float | None) -> str:
    """Two significant digits, never in scientific notation: 0.0031, 0.25, 12."""
    if value is None or np.isnan(value):
        return DASH
    if value == 0:
        return "0"
    return f"{value:.{max(0, 1 - int(np.floor(np.log10(value))))}f}"

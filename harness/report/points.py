"""What the explorer draws: scores and accuracies of every column, small enough for one page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from harness.core.printing import printed
from harness.figures.scatter import axis_scale
from harness.report.columns import NO_BREAK, Column
from harness.report.page_tables import DIGITS

LIMITS = (2000, 1000, 500, 250, 100)
"""Architectures per column. A seed's first ones are a uniform draw, so the rest may go."""
BUDGET = 1_400_000
"""Bytes of all points; with it the page stays under two megabytes."""


@dataclass
class _Pool:
    """What columns share is stored once: keys of a space, and lists that are the same."""

    keys: dict[str, dict[str, int]] = field(default_factory=dict)
    lists: dict[tuple[float | None, ...], int] = field(default_factory=dict)

    def keep(self, values: Iterable[float | None]) -> int:
        return self.lists.setdefault(tuple(values), len(self.lists))


def points(columns: Sequence[Column], limits: Sequence[int] = LIMITS) -> dict[str, Any]:
    """Returns the points of all columns, as many architectures of each as fit into ``BUDGET``.

    Args:
        columns: The architectures of each one's lowest seed are shown.
        limits: Architectures per column, the most first.

    Returns:
        ``keys``, by space; ``lists`` of numbers, which others name by their index; and
        ``columns``, by name: ``space``, ``at`` (list of indices of its keys), ``truth`` (list, one
        per architecture), ``metric`` of the accuracy, ``undefined`` (what such scores rank as),
        ``note`` about what is shown, and per proxy its correlation in words, ``scale`` of its
        axis, ``values`` (list, null where there is none) and ``status`` of those. Numbers have six
        significant digits.
    """
    for limit in limits:
        pool = _Pool()
        found = {column.name: _points(column, pool, limit) for column in columns}
        embedded = {
            "keys": {space: list(own) for space, own in pool.keys.items()},
            "lists": list(pool.lists),
            "columns": found,
        }
        if len(json.dumps(embedded, separators=(",", ":"))) <= BUDGET:
            break
    return embedded


def _points(column: Column, pool: _Pool, limit: int) -> dict[str, Any]:
    scores = column.scores[column.scores["seed"] == column.scores["seed"].min()]
    drawn = list(dict.fromkeys(scores["key"]))
    shown = drawn[:limit]
    places = pool.keys.setdefault(column.space, {})
    # With replacement an architecture repeats with the same score.
    table = scores.drop_duplicates(["key", "proxy"]).set_index(["proxy", "key"])
    truth = scores.drop_duplicates("key").set_index("key")["truth"]
    note = f"{len(shown)} architectures of seed {scores['seed'].iloc[0]}"
    return {
        "space": column.space,
        "at": pool.keep(places.setdefault(key, len(places)) for key in shown),
        "truth": pool.keep(map(_digits, truth.loc[shown])),
        "metric": str(column.record["truth"]["metric"]),
        "undefined": column.record["conditions"]["undefined"],
        "note": note + (f" (the first of {len(drawn)})" if len(drawn) > limit else ""),
        "proxies": {
            str(row["proxy"]): _panel(row, table.loc[row["proxy"]].reindex(shown), pool)
            for row in column.summary.to_dict("records")
        },
    }


def _panel(row: dict[Any, Any], rows: pd.DataFrame, pool: _Pool) -> dict[str, Any]:
    values = rows["value"].where(rows["status"] == "ok")
    rho, low, high = (printed(row[f"spearman_{part}"]) for part in ("mean", "low", "high"))
    seeds = f", mean of {row['seeds']} seeds" if row["seeds"] > 1 else ""
    return {
        "rho": f"ρ = {rho} (95 % interval {low} to {high}{seeds}, n = {row['n']})".replace(
            " = ", f"{NO_BREAK}={NO_BREAK}"
        ),
        "scale": axis_scale(values.dropna().to_numpy(dtype=float)),
        "values": pool.keep(map(_digits, values)),
        "status": {i: str(s) for i, s in enumerate(rows["status"]) if s != "ok"},
    }


def _digits(value: float) -> float | None:
    return None if pd.isna(value) else float(f"{value:.{DIGITS}g}")

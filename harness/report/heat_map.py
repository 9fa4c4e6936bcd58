"""The heat map of all proxies and columns; every cell says what its number rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from harness.core.printing import printed
from harness.proxies.contract import seeing_truth
from harness.report.columns import Column
from harness.report.page_tables import DIGITS
from harness.stats.ordering import rows_by_mean

STEPS = 20
"""Shades from ρ = 0 to ρ = ±1; the style sheet has a class for each."""


@dataclass(frozen=True)
class HeatCell:
    """One proxy on one column.

    Attributes:
        text: ρ as it is read; a dash if undefined.
        sort: ρ to ``DIGITS``; empty if undefined.
        shade: Classes of the style sheet: sign, step and whether it rests on few architectures.
        tip: What the number rests on, a fact per line.
        link: Leads to the architectures behind it.
    """

    text: str
    sort: str
    shade: str
    tip: str
    link: str


def heat_map(columns: Sequence[Column]) -> dict[str, list[HeatCell | None]]:
    """Returns a row of cells per proxy, None where it was not scored.

    Rows are ordered by their mean over the main study's columns; what only others have follows.

    Args:
        columns: In the order to show, those of the main study first.
    """
    cells = {
        (column.name, row["proxy"]): _cell(column, row)
        for column in columns
        for row in column.summary.to_dict("records")
    }
    main = [column for column in columns if column.in_main]
    order = dict.fromkeys([*(proxy_order(main) if main else []), *proxy_order(columns)])
    return {proxy: [cells.get((column.name, proxy)) for column in columns] for proxy in order}


def explorer(column: str, proxy: str) -> str:
    """Returns the address of a proxy on a column, which ``templates/address.js`` reads."""
    return f"#column={quote(column)}&pair={quote(proxy)}&at=explorer"


def proxy_order(columns: Sequence[Column]) -> list[str]:
    """Returns the proxies by mean ρ, those of every column first, see ``rows_by_mean``."""
    means = [column.summary.set_index("proxy")["spearman_mean"].fillna(0) for column in columns]
    return rows_by_mean(pd.concat(means, axis="columns"))


def _cell(column: Column, row: Mapping[Any, Any]) -> HeatCell:
    rho = float(row["spearman_mean"])
    shade = "undefined" if pd.isna(rho) else f"{'low' if rho < 0 else 'high'} s{_step(rho)}"
    return HeatCell(
        printed(rho),
        "" if pd.isna(rho) else f"{rho:.{DIGITS}g}",
        shade + " few" * column.few,
        "\n".join(_facts(column, row)),
        explorer(column.name, row["proxy"]),
    )


def _step(rho: float) -> int:
    return round(abs(rho) * STEPS)


def _facts(column: Column, row: Mapping[Any, Any]) -> list[str]:
    own = column.correlations[column.correlations["proxy"] == row["proxy"]]
    seeds = ", ".join(printed(value) for value in own.sort_values("seed")["spearman"])
    low, high = printed(row["spearman_low"]), printed(row["spearman_high"])
    share = column.crowded.get(row["proxy"])
    return [
        f"{row['proxy']} on {column.name}",
        f"ρ = {printed(row['spearman_mean'])}, 95 % interval {low} to {high}",
        f"Kendall's τ = {printed(row['kendall_mean'])}",
        f"{row['n']} architectures, {row['seeds']} seed{'s' * (row['seeds'] > 1)}: {seeds}",
        f"{row.get('n_undefined', 0)} undefined, {row.get('n_failed', 0)} failed scores",
        *(["stand-in images"] if column.stand_in else []),
        *(["made with the accuracies"] if seeing_truth([row["proxy"]]) else []),
        *([f"{share:.0%} of the scores at their ceiling"] if share else []),
    ]

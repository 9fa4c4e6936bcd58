"""How the rows of two results of the same conditions become one result."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from harness.proxies.contract import populations

DRAW = ["seed", "draw", "proxy"]
"""Columns that tell the rows of one result apart."""


def added(before: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of two results of the same conditions; a newer score replaces an older.

    A population-level proxy ranks all architectures of a seed together, so its rows are those of
    the larger population.
    """
    parts = [new, before]
    for name in set(new.proxy) & set(before.proxy) & set(populations):
        sizes = [part[part.proxy == name].groupby("seed").size() for part in parts]
        for seed in set(sizes[0].index) & set(sizes[1].index):
            loser = int(sizes[1][seed] <= sizes[0][seed])
            drop = (parts[loser].proxy == name) & (parts[loser].seed == seed)
            parts[loser] = parts[loser][~drop]
    rows = pd.concat(parts, ignore_index=True).drop_duplicates(DRAW)
    return in_order(rows, [*before.proxy, *new.proxy])


def in_order(rows: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Sorts rows by seed and draw, and those of one draw by the place of the proxy in ``names``."""
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    ordered = rows.assign(place=rows.proxy.map(place))
    ordered = ordered.sort_values(["seed", "draw", "place"], ignore_index=True)
    return ordered.drop(columns="place")

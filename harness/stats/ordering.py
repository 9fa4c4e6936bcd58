"""The order of rows and columns of a heat map with gaps."""

from __future__ import annotations

import pandas as pd


def rows_by_mean(table: pd.DataFrame) -> list[str]:
    """Returns the rows, the largest mean first, those with gaps after the others.

    Means are compared over the same columns, so that no row climbs for having been measured only
    where its values are large: whole rows over all columns, the others over those that all of them
    have, or over their own where there is none.

    Args:
        table: Correlations; NaN for what was not measured. What has no value should be 0.
    """
    whole = table.notna().all(axis="columns")
    rows: list[str] = []
    for part in (table[whole], table[~whole]):
        shared = part.loc[:, part.notna().all(axis="index")]
        means = (part if shared.empty else shared).mean(axis="columns")
        rows += means.sort_values(ascending=False, kind="stable").index.tolist()
    return rows


def columns_by_mean(table: pd.DataFrame) -> list[str]:
    """Returns the columns, the largest mean first, over the rows without gaps if there are any.

    Args:
        table: As for ``rows_by_mean``.
    """
    whole = table[table.notna().all(axis="columns")]
    means = (table if whole.empty else whole).mean(axis="index")
    return list(means.sort_values(ascending=False, kind="stable").index)

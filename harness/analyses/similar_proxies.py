"""Which proxies say the same?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import figures
from harness.analyses.by_column import by_column, defined
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate
from harness.stats.complementarity import clustered, similarity


@analysis("similar_proxies", "Which proxies say the same?", chapter=50)
def similar_proxies(results: StoredResults) -> Drawn:
    """Correlates proxies with each other, and compares what they score highest."""
    table = by_column(results, lambda one: defined(similarity(one.joint), "spearman"))
    ranks, overlaps = (_square(table, value) for value in ("spearman", "overlap"))
    order = [str(ranks.index[place]) for place in clustered(ranks.to_numpy(dtype=float))]
    columns = table["column"].nunique()
    subtitle = f"Mean over {columns} columns; similar proxies stand together (average linkage)."
    drawn = {
        "similar_proxies": figures.heatmap(
            ranks.loc[order, order],
            title="How similarly proxies rank architectures",
            subtitle=subtitle,
        ),
        "similar_proxies_overlap": figures.heatmap(
            overlaps.loc[order, order],
            title="How much of their best-scored tenths proxies share",
            subtitle=f"Architectures in both of two tenths among those in either, 0.05 by chance. "
            f"{subtitle}",
            label="Jaccard index",
        ),
    }
    return Drawn({"similar_proxies": table}, drawn, _finding(table))


def _square(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Returns a proxies × proxies table of means over columns."""
    half = table.rename(columns={"proxy": "other", "other": "proxy"})
    both = pd.concat([table, half])
    square = both.pivot_table(
        index="proxy", columns="other", values=value, sort=False, dropna=False
    )
    square = square.loc[:, square.index].copy()
    for name in square.index:
        square.loc[name, name] = 1.0
    return square.rename_axis(columns=None)


def _finding(table: pd.DataFrame) -> str:
    everywhere = table.groupby(["proxy", "other"], sort=False)["spearman"].agg(["mean", "count"])
    everywhere = everywhere[everywhere["count"] == everywhere["count"].max()]
    first, second = everywhere["mean"].idxmax()
    rows = table[(table["proxy"] == first) & (table["other"] == second)]
    least = rows.sort_values("spearman").iloc[0]
    alike = int((np.abs(everywhere["mean"]) > 0.9).sum())
    return (
        f"Of {len(everywhere)} pairs of proxies {alike} rank alike with |ρ| above 0.9; the nearest "
        f"are {first} and {second}, at least {estimate(*least[['spearman', 'low', 'high']])} "
        f"in every column (n = {rows['n'].min()} to {rows['n'].max()})."
    )

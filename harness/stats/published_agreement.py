"""How well two sets of scores of the same architectures agree."""

from __future__ import annotations

import pandas as pd

from harness.stats.correlation import spearman


def agreement(joined: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Compares our scores with published ones.

    Args:
        joined: The score table of one space and task with the column ``truth``.
        published: Columns ``key``, ``proxy``, ``value``; NaN where undefined.

    Returns:
        One row per proxy that both know: the number ``n`` of architectures whose score is defined
        on both sides (of our first seed); Spearman's ρ between the two; ρ with the accuracy on
        those n for ours and for theirs; the median of ours / theirs; the largest absolute
        difference.
    """
    rows = []
    defined = joined[joined.status == "ok"]
    for proxy in joined.proxy.unique():
        ours = defined[defined.proxy == proxy]
        first = ours[ours.seed == ours.seed.min()]
        theirs = published[published.proxy == proxy].dropna(subset="value")
        both = first.merge(theirs[["key", "value"]], on="key", suffixes=("", "_published"))
        if both.empty:
            continue
        rows.append(
            {
                "proxy": proxy,
                "n": len(both),
                "rho_published": spearman(both.value, both.value_published),
                "accuracy_ours": spearman(both.value, both.truth),
                "accuracy_published": spearman(both.value_published, both.truth),
                "median_ratio": (both.value / both.value_published).median(),
                "max_difference": (both.value - both.value_published).abs().max(),
            }
        )
    return pd.DataFrame(rows)

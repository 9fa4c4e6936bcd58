"""Other quantities than the accuracy: what scores know of them, and beyond them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from harness.stats.comparisons import TRUTH, Joint
from harness.stats.joint import partial
from harness.stats.ranks import Floats

ACCURACY = "accuracy"


def beside(scores: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Adds other quantities of architectures to a table of scores, as further proxies.

    Args:
        scores: As for ``correlations``.
        values: A column per quantity, by key; architectures that lack one are left out.

    Returns:
        A table as ``scores``.
    """
    whole = values.dropna()
    kept = scores[scores["key"].isin(whole.index)]
    one_each = kept.drop_duplicates(["seed", "key"]).assign(status="ok")
    parts = [
        one_each.assign(proxy=str(name), value=one_each["key"].map(whole[name]).astype(float))
        for name in whole
    ]
    return pd.concat([kept, *parts], ignore_index=True)


def target_correlations(joined: Joint, targets: Iterable[str]) -> pd.DataFrame:
    """Correlates proxies and the accuracy with other quantities.

    Args:
        joined: The correlations of a table from ``beside``.
        targets: Names of the other quantities.

    Returns:
        One row per quantity and proxy, and one for the accuracy (``proxy`` is ``accuracy``):
        ``target``, ``proxy``, ``spearman``, ``low``, ``high`` (95 % interval), ``n``, ``seeds``.
    """
    named = list(targets)
    ranked = [*(name for name in joined.names if name not in named), TRUTH]
    rows = []
    for target in named:
        column = joined.index(target)
        for proxy in ranked:
            row = -1 if proxy == TRUTH else joined.index(proxy)

            def measure(matrices: Floats, row: int = row, column: int = column) -> Floats:
                own: Floats = matrices[..., row, column]
                return own

            value, low, high = joined.estimate(measure)
            name = ACCURACY if proxy == TRUTH else proxy
            said = {"target": target, "proxy": name, "spearman": value, "low": low, "high": high}
            rows.append(said | joined.counts)
    return pd.DataFrame(rows)


def at_equal(joined: Joint, targets: Iterable[str]) -> pd.DataFrame:
    """Correlates proxies with the accuracy, each of some quantities held fixed in turn.

    Args:
        joined: The correlations of a table from ``beside``.
        targets: Names of other quantities.

    Returns:
        One row per quantity and proxy: ``target``, ``proxy``, ``accuracy`` (Spearman's ρ of proxy
        and accuracy), ``partial`` (the same with the ranks of the quantity held fixed),
        ``partial_low`` and ``partial_high`` (its 95 % interval).
    """
    rows = []
    for target in targets:
        given = [joined.index(target)]
        for proxy in joined.names:
            place = joined.index(proxy)

            def measure(matrices: Floats, place: int = place, given: list[int] = given) -> Floats:
                return partial(matrices, place, len(joined.names), given)

            value, low, high = joined.estimate(measure)
            plain = float(joined.observed[:, place, -1].mean())
            row = {"target": target, "proxy": proxy, "accuracy": plain}
            rows.append({**row, "partial": value, "partial_low": low, "partial_high": high})
    return pd.DataFrame(rows)

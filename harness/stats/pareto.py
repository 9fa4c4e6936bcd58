"""What a correlation costs: seconds per architecture, and which proxies nothing beats at less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.stats.comparisons import Joint
from harness.stats.ranks import Floats


def seconds_alone(
    shares: Mapping[str, float], passes: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Returns what proxies would cost if each were scored alone, from what they cost together.

    A pass that several proxies need is run once and its time divided among them. Alone, each would
    pay all of it, or less where the pass could then leave something out: an upper bound.

    Args:
        shares: By proxy, seconds of its run, its part of every pass included.
        passes: By proxy, the passes that it needs.

    Returns:
        By proxy, seconds.
    """
    users = Counter(name for proxy in shares for name in passes[proxy])
    # A proxy of one pass costs its share and the little that its formula takes.
    known: dict[str, float] = {}
    for proxy, share in shares.items():
        for name in passes[proxy] if len(passes[proxy]) == 1 else ():
            known[name] = min(share, known.get(name, share))
    alone = {}
    for proxy, share in shares.items():
        whole = sum(known[name] * users[name] for name in passes[proxy] if name in known)
        rest = share - sum(known.get(name, 0.0) for name in passes[proxy])
        unknown = [users[name] for name in passes[proxy] if name not in known]
        alone[proxy] = whole + max(rest, 0.0) * max(unknown, default=1)
    return alone


def on_front(costs: npt.ArrayLike, values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tells which choices are on the Pareto front: no other costs no more and is worth no less.

    Of two choices that are equal in both, both are on it.

    Args:
        costs: k numbers, smaller is better.
        values: …×k numbers, larger is better; NaN is never on the front.

    Returns:
        …×k.
    """
    c, v = np.asarray(costs, dtype=float), np.asarray(values, dtype=float)
    cheaper, better = c[:, None] < c, v[..., :, None] > v[..., None, :]
    no_dearer, no_worse = c[:, None] <= c, v[..., :, None] >= v[..., None, :]
    beaten = (no_dearer & no_worse & (cheaper | better)).any(axis=-2)
    front: npt.NDArray[np.bool_] = ~beaten & ~np.isnan(v)
    return front


def pareto(joined: Joint, seconds: Mapping[str, float]) -> pd.DataFrame:
    """Sets what proxies cost against how well they rank.

    Args:
        joined: The correlations.
        seconds: By proxy, per architecture.

    Returns:
        One row per proxy of ``seconds``, the cheapest first: ``seconds``, ``spearman``, ``low`` and
        ``high`` (95 % interval), ``on_front``, ``front_share`` (of the resamples in which it is on
        the front), ``n`` and ``seeds``.
    """
    places = [joined.index(name) for name in seconds]
    costs = list(seconds.values())

    observed = joined.observed[..., places, -1].mean(axis=0)
    front = on_front(costs, observed)
    shares = on_front(costs, joined.resampled[..., places, -1].mean(axis=0)).mean(axis=0)
    rows = []
    for i, (proxy, place) in enumerate(zip(seconds, places, strict=True)):

        def measure(matrices: Floats, place: int = place) -> Floats:
            own: Floats = matrices[..., place, -1]
            return own

        value, low, high = joined.estimate(measure)
        row = {"proxy": proxy, "seconds": costs[i], "spearman": value, "low": low, "high": high}
        said = {"on_front": bool(front[i]), "front_share": float(shares[i])}
        rows.append(row | said | joined.counts)
    return pd.DataFrame(rows).sort_values("seconds", kind="stable", ignore_index=True)

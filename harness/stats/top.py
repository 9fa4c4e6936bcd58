"""How good are a proxy's highest-scored architectures, and how well are the best ones ranked?

Where equal scores or accuracies straddle a border, every choice among them is equally likely and
the expectation is taken. A constant score therefore gives what chance gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.stats.bootstrap import FEWEST, Counts, ranked, spearmans
from harness.stats.comparisons import Joint
from harness.stats.ranks import Floats

TENTH, TWENTIETH = 0.1, 0.05
BEST = {"spearman_best_10": TENTH, "spearman_best_25": 0.25}
"""Spearman's ρ among this share of the most accurate architectures."""


class Order:
    """Architectures in the order of their values, the largest first.

    Args:
        values: n numbers, not NaN; −inf is a last place.
    """

    def __init__(self, values: npt.ArrayLike) -> None:
        x = -np.asarray(values, dtype=float)
        self.architectures = np.argsort(x, kind="stable")
        ascending = x[self.architectures]
        self._starts = np.searchsorted(ascending, ascending, side="left")
        self._ends = np.searchsorted(ascending, ascending, side="right")

    def top(self, counts: Counts, k: int) -> Top:
        """Returns the architectures that fill the first k places of b resamples (b×n counts)."""
        n = len(self.architectures)
        # So many are nearly always enough, and they are far fewer than all.
        for m in (int(self._ends[min(n, 2 * k + 30) - 1]), n):
            first = self.architectures[:m]
            own = counts.take(first, axis=1)
            copies = np.zeros((len(own), m + 1), dtype=np.int32)
            own.cumsum(axis=1, out=copies[:, 1:])
            if copies[:, -1].min() >= k:
                break
        above, until = (copies.take(places[:m], axis=1) for places in (self._starts, self._ends))
        return Top(first, own, above, until)


@dataclass(frozen=True)
class Top:
    """The m first architectures of an order in b resamples, the largest value first.

    Attributes:
        architectures: Their places among all.
        counts: b×m; how often each occurs.
        above: b×m; how many copies have a larger value.
        until: b×m; how many have a larger one, or the same.
    """

    architectures: npt.NDArray[np.intp]
    counts: Counts
    above: Counts
    until: Counts

    def first(self, k: Counts) -> Top:
        """Returns those that are ever among the k first (b×1), with all that tie with them."""
        m = int((self.above < k).any(axis=0).sum())
        return Top(
            self.architectures[:m], *(x[:, :m] for x in (self.counts, self.above, self.until))
        )

    def among(self, k: Counts) -> Floats:
        """Returns the probability of a copy to be among the k first (b×1), ties being drawn."""
        share: Floats = (k - self.above) / np.maximum(self.until - self.above, 1)
        return share.clip(0, 1)

    def gain(self, gains: Floats, summed: Floats, k: Counts) -> Floats:
        """Returns Σ gain·weight over the first k places, whose weights are summed up: b numbers."""
        weights = summed.take(np.minimum(self.until, k)) - summed.take(np.minimum(self.above, k))
        weights /= np.maximum(self.until - self.above, 1)
        gained: Floats = np.vecdot(self.counts * gains[self.architectures], weights)
        return gained


@dataclass(frozen=True)
class Resamples:
    """The accuracies of n architectures in b resamples.

    Attributes:
        counts: b×n; how often each architecture occurs.
        truth: n accuracies.
        order: Their order.
        unit: What a whole accuracy of 1 is in the unit of ``truth``, 100 for percent; NaN if
            it is no share.
    """

    counts: Counts
    truth: Floats
    order: Order
    unit: float = 100.0
    # What every proxy is compared with is worked out once.
    _among: dict[float, Floats] = field(default_factory=dict)
    _ideal: dict[tuple[float, float], Floats] = field(default_factory=dict)

    @cached_property
    def total(self) -> Counts:
        """How many copies a resample has: b×1."""
        total: Counts = self.counts.sum(axis=1, keepdims=True, dtype=np.int32)
        return total

    @cached_property
    def largest(self) -> Floats:
        """The largest accuracy of every resample: b numbers."""
        largest: Floats = np.where(self.counts > 0, self.truth, -np.inf).max(axis=1)
        return largest

    def part(self, k: float) -> Counts:
        """Returns k of the copies, or the share k of them if it is below 1, at least one: b×1."""
        wanted = np.rint(k * self.total) if k < 1 else np.full(self.total.shape, k)
        part: Counts = np.clip(wanted, 1, self.total).astype(np.int32)
        return part

    def top(self, order: Order, *parts: float) -> Top:
        """Returns what fills the largest of these parts of every resample."""
        return order.top(self.counts, max(int(self.part(part).max()) for part in parts))

    def among(self, best: float) -> Floats:
        """Returns the probability of a copy to be among the ``best`` most accurate: b×n."""
        if best not in self._among:
            top = self.top(self.order, best)
            chance = self._among[best] = np.zeros(self.counts.shape)
            chance[:, top.architectures] = top.among(self.part(best))
        return self._among[best]

    def ideal(self, k: float, scale: float) -> Floats:
        """Returns the gain of the k most accurate."""
        if (k, scale) not in self._ideal:
            self._ideal[k, scale] = self.dcg(self.top(self.order, k), k, scale)
        return self._ideal[k, scale]

    def dcg(self, top: Top, k: float, scale: float) -> Floats:
        """Returns Σ_{j≤k} (2^a − 1)/log₂(1 + j) over the places j of an order; see ``ndcg``."""
        places = np.arange(1, int(self.total.max()) + 1)
        summed = np.append(0.0, np.cumsum(1 / np.log2(1 + places)))
        gains = np.exp2(self.truth * (scale / self.unit)) - 1
        return top.gain(gains, summed, self.part(k))


def common(sample: Resamples, top: Top, k: float, best: float) -> Floats:
    """Returns how many of the k highest-scored are among the ``best`` most accurate: b numbers."""
    both = top.among(sample.part(k)) * sample.among(best).take(top.architectures, axis=1)
    number: Floats = np.vecdot(top.counts, both)
    return number


def precision(sample: Resamples, top: Top, k: float, best: float) -> Floats:
    """Returns which share of the k highest-scored are among the ``best`` most accurate."""
    return common(sample, top, k, best) / sample.part(k)[:, 0]


def recall(sample: Resamples, top: Top, k: float, best: float) -> Floats:
    """Returns which share of the ``best`` most accurate are among the k highest-scored."""
    return common(sample, top, k, best) / sample.part(best)[:, 0]


def ndcg(sample: Resamples, top: Top, k: float, scale: float) -> Floats:
    """Returns the normalised discounted cumulative gain of the k highest-scored, 0 to 1.

    DCG = Σ_{j≤k} (2^a − 1)/log₂(1 + j) over the places j, a the accuracy of the architecture there,
    divided by the same of the order by accuracy (Burges et al., "Learning to rank using gradient
    descent", ICML 2005); ties as McSherry & Najork, "Computing information retrieval performance
    measures efficiently in the presence of tied scores", ECIR 2008.

    Args:
        sample: The accuracies.
        top: The highest-scored.
        k: How many, or which share.
        scale: What an accuracy of 1 is in a: 1 or 100; both conventions are in print, and with
            percents a point doubles the gain.
    """
    return sample.dcg(top, k, scale) / sample.ideal(k, scale)


def regret(sample: Resamples, top: Top, k: float) -> Floats:
    """Returns how much the best of the k highest-scored lacks to the best of all, 0 or more."""
    return sample.largest - best_of_top(sample, top, k)


def best_of_top(sample: Resamples, top: Top, k: float) -> Floats:
    """Returns the accuracy of the best among the k highest-scored: b numbers."""
    chosen = sample.part(k)
    top = top.first(chosen)
    truth = sample.truth[top.architectures]
    order = np.argsort(-truth)
    counts, above, until = (x.take(order, axis=1) for x in (top.counts, top.above, top.until))
    border = (above < chosen) & (until > chosen)
    size = np.where(border, until - above, 0).max(axis=1, keepdims=True)
    places = np.where(border, chosen - above, 0).max(axis=1, keepdims=True)
    # None of the i most accurate is among the k: none surely, and none of those drawn at the border
    # (hypergeometric), of which ``left`` are less accurate.
    left = size - np.where(border, counts, 0).cumsum(axis=1)
    logs = np.append(0.0, np.cumsum(np.log(np.arange(1, size.max() + 1))))
    chance = logs[left] - logs[np.maximum(left - places, 0)] - logs[size] + logs[size - places]
    none = np.where(left < places, 0.0, np.exp(chance))
    none[np.logical_or.accumulate((until <= chosen) & (counts > 0), axis=1)] = 0
    best: Floats = -np.diff(none, axis=1, prepend=1.0) @ truth[order]
    return best


MEASURES: dict[str, Callable[[Resamples, Top], Floats]] = {
    "ndcg_fraction": partial(ndcg, k=TENTH, scale=1),
    "ndcg_percent": partial(ndcg, k=TENTH, scale=100),
    "precision_10": partial(precision, k=10, best=TENTH),
    "precision_tenth": partial(precision, k=TENTH, best=TENTH),
    "recall_10": partial(recall, k=TENTH, best=10),
    "top_64_in_5": partial(recall, k=TWENTIETH, best=64),
    "regret_1": partial(regret, k=1),
    "regret_10": partial(regret, k=10),
}
NEEDED = {"precision_10": 20, "recall_10": 100, "top_64_in_5": 640, "regret_10": 20}
"""Architectures below which a measure says nothing."""


def top_k(joined: Joint, unit: float = 100.0) -> pd.DataFrame:
    """Tells how well the most accurate architectures are ranked and found; means over seeds.

    Args:
        joined: The scores.
        unit: What a whole accuracy of 1 is in the unit of the accuracies, 100 for percent; NaN if
            they are no share, which leaves nDCG out.

    Returns:
        A row per proxy and measure: ``measure``, ``value``, ``low`` and ``high`` (95 % interval;
        of ρ over resamples of the sample's own best), ``chance`` (what a constant score gives),
        ``n`` and ``seeds``. The measures are ``spearman_best_10`` and ``_25`` (ρ among the most
        accurate 10 % and 25 %), ``ndcg_fraction`` and ``ndcg_percent`` (of the best-scored tenth,
        accuracies in [0, 1] and in percent), ``precision_10`` and ``precision_tenth`` (share of
        the 10 and of the tenth highest-scored that are in the most accurate tenth), ``recall_10``
        (share of the 10 most accurate in the best-scored tenth), ``top_64_in_5`` (share of the 64
        most accurate in the best-scored 5 %), ``regret_1`` and ``regret_10`` (what the best of
        the 1 and 10 highest-scored lacks to the best, in the unit of the accuracies). Those for
        which there are too few architectures are left out.
    """
    n = joined.counts["n"]
    names = [name for name in MEASURES if n >= NEEDED.get(name, 1)]
    names = [name for name in names if not (np.isnan(unit) and name.startswith("ndcg"))]
    best = [name for name, share in BEST.items() if round(share * n) >= FEWEST]
    seeds = [_BestOfSeed(scores, truth, names, best, unit) for scores, truth in joined.rows()]
    value, low, high = joined.measured(lambda place, counts: seeds[place].measure(counts))
    chance = np.mean([one.chance() for one in seeds], axis=0)
    return pd.DataFrame(
        {
            "proxy": np.repeat(joined.names, len(names) + len(best)),
            "measure": np.tile([*best, *names], len(joined.names)),
            **{"value": value.ravel(), "low": low.ravel(), "high": high.ravel()},
            "chance": np.tile(chance, len(joined.names)),
            **joined.counts,
        }
    )


class _BestOfSeed:
    """What one seed's proxies are measured by."""

    def __init__(
        self, scores: Floats, truth: Floats, names: list[str], best: list[str], unit: float
    ) -> None:
        self.truth, self.names, self.unit = truth, names, unit
        self.orders, self.accuracy = [Order(column) for column in scores.T], Order(truth)
        self.best = [ranked(scores, truth, most_accurate(truth, BEST[name])) for name in best]

    def measure(self, counts: Counts) -> Floats:
        """Returns b×proxies×measures, those of ``best`` first."""
        among = [spearmans(one, counts.take(one.members, axis=1)) for one in self.best]
        measured = self._measures(self.orders, counts)
        return np.concatenate([*(rho[:, :, None] for rho in among), measured], axis=2)

    def chance(self) -> Floats:
        """Returns each measure of a constant score; for ρ, which has none, 0."""
        once = np.ones((1, len(self.truth)), dtype=np.int32)
        constant = self._measures([Order(np.zeros(len(self.truth)))], once)
        return np.append(np.zeros(len(self.best)), constant)

    def _measures(self, orders: list[Order], counts: Counts) -> Floats:
        sample = Resamples(counts, self.truth, self.accuracy, self.unit)
        tops = [sample.top(order, TENTH, 10) for order in orders]
        return np.stack(
            [np.stack([MEASURES[name](sample, top) for name in self.names], 1) for top in tops], 1
        )


def most_accurate(truth: Floats, share: float) -> npt.NDArray[np.intp]:
    """Returns the places of the most accurate share, with all that tie with its last."""
    border = np.sort(truth)[-max(1, round(share * len(truth)))]
    return np.flatnonzero(truth >= border)


def membership(values: npt.ArrayLike, k: int) -> Floats:
    """Returns the probability of each to be among the k largest, ties being drawn.

    Args:
        values: n numbers, not NaN; −∞ is a last place.
        k: From 1 to n.
    """
    x = np.asarray(values, dtype=float)
    border = np.sort(x)[len(x) - k]
    above, tied = x > border, x == border
    result: Floats = above + tied * (k - above.sum()) / tied.sum()
    return result

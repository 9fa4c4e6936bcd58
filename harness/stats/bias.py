"""Do scores follow a property of the architectures, and what do they rank without it?

Krishnakumar et al., "NAS-Bench-Suite-Zero", NeurIPS 2022, section 4. There undefined scores enter
as −1e8, and the bias is that number's; here they are left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.stats.bootstrap import Counts, Ranker, correlation
from harness.stats.comparisons import Joint
from harness.stats.joint import rank_matrices
from harness.stats.ranks import Floats

ACCURACY = "accuracy"


def biases(joined: Joint, properties: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Correlates scores, and the accuracy, with properties of the architectures.

    Args:
        joined: The scores.
        properties: Per seed a number per architecture (rows, in the order of the scores) and
            property (columns).

    Returns:
        A row per property and proxy, the proxy ``accuracy`` among them: ``spearman`` and
        ``pearson`` (means over seeds; NaN where a side is constant), the ends of their 95 %
        intervals (``spearman_low`` …), ``n_undefined`` (scores left out, of all seeds), ``n`` and
        ``seeds``.
    """
    seeds = [
        _BiasOfSeed(np.column_stack([scores, truth]), table.to_numpy(dtype=float))
        for (scores, truth), table in zip(joined.rows(), properties, strict=True)
    ]
    value, low, high = joined.measured(lambda place, counts: seeds[place].measure(counts))
    names, of = [*joined.names, ACCURACY], list(properties[0].columns)
    undefined = np.sum([one.undefined for one in seeds], axis=0)
    measured = {
        f"{kind}{end}": numbers[which].T.ravel()
        for which, kind in enumerate(("spearman", "pearson"))
        for end, numbers in (("", value), ("_low", low), ("_high", high))
    }
    return pd.DataFrame(
        {
            "property": np.repeat(of, len(names)),
            "proxy": np.tile(names, len(of)),
            **measured,
            "n_undefined": np.tile(undefined, len(of)),
            **joined.counts,
        }
    )


class _BiasOfSeed:
    """One seed: k columns of scores, the accuracy last, and p properties."""

    def __init__(self, columns: Floats, properties: Floats) -> None:
        defined = np.isfinite(columns)
        self.undefined = (~defined).sum(axis=0)
        self._shape = columns.shape[1], properties.shape[1]
        # Columns with scores for the same architectures share the work.
        together: dict[bytes, list[int]] = {}
        for place, mask in enumerate(defined.T):
            together.setdefault(mask.tobytes(), []).append(place)
        self._groups = [
            _Group(places, np.flatnonzero(defined[:, places[0]]), columns, properties)
            for places in together.values()
            if defined[:, places[0]].any()
        ]

    def measure(self, counts: Counts) -> Floats:
        """Returns Spearman's and Pearson's correlations: b×2×k×p."""
        found = np.full((len(counts), 2, *self._shape), np.nan)
        for group in self._groups:
            found[:, :, group.places] = group.measure(counts.take(group.rows, axis=1))
        return found


class _Group:
    """Columns that have scores for the same rows."""

    def __init__(
        self,
        places: list[int],
        rows: npt.NDArray[np.intp],
        columns: Floats,
        properties: Floats,
    ) -> None:
        self.places, self.rows = places, rows
        values = np.column_stack([columns[rows][:, places], properties[rows]])
        self._rankers = [Ranker(column) for column in values.T]
        deviation = values.std(axis=0)
        scaled = (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
        first, second = scaled[:, : len(places)], scaled[:, len(places) :]
        self._moments = np.column_stack(
            [scaled, scaled**2, (first[:, :, None] * second[:, None]).reshape(len(rows), -1)]
        )

    def measure(self, counts: Counts) -> Floats:
        """Returns Spearman's and Pearson's correlations of these columns: b×2×k×p."""
        k = len(self.places)
        ranks = rank_matrices(self._rankers, counts)[:, :k, k:]
        return np.stack([ranks, self._pearson(counts)], axis=1)

    def _pearson(self, counts: Counts) -> Floats:
        """Returns the b×k×p correlations of the values, from weighted moments."""
        k, both = len(self.places), len(self._rankers)
        total = np.maximum(counts.sum(axis=1), 1)[:, None]
        means = counts @ self._moments / total
        mean, square, product = np.split(means, [both, 2 * both], axis=1)
        variance = square - mean**2
        # A constant's variance is rounding.
        variance[variance < 1e-12] = 0
        product = product.reshape(-1, k, both - k)
        covariance = product - mean[:, :k, None] * mean[:, None, k:]
        return correlation(covariance, variance[:, :k, None], variance[:, None, k:])

"""Several rankings of the same architectures at once: what pairs and partial correlations need.

Comparing two proxies on the same architectures, or asking what a proxy knows beyond size, takes the
rank correlations of all columns together, resampled together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.stats.bootstrap import Counts, Ranker, correlation, resampled
from harness.stats.ranks import Floats


def rank_matrix(columns: npt.ArrayLike) -> Floats:
    """Returns Spearman's ρ between all columns, ties on average ranks.

    Args:
        columns: n×k numbers, not NaN; −inf is a last place.

    Returns:
        k×k, symmetric; NaN in rows and columns that are constant.
    """
    values = np.asarray(columns, dtype=float)
    once = np.ones((1, len(values)), dtype=np.int32)
    matrix: Floats = rank_matrices([Ranker(column) for column in values.T], once)[0]
    return matrix


def resampled_matrices(
    seeds: Sequence[npt.ArrayLike],
    members: Sequence[npt.NDArray[np.intp]],
    resamples: int,
    random: np.random.Generator,
) -> Floats:
    """Returns ``rank_matrix`` of every seed in resamples of the architectures.

    Args:
        seeds: Per seed n×k numbers, not NaN.
        members: Per seed which architecture each row is, numbered from 0 over all seeds.
        resamples: B, how many resamples to draw, each once for all seeds.
        random: Where the draws come from.

    Returns:
        seeds×B×k×k.
    """
    rankers = [[Ranker(column) for column in np.asarray(one, dtype=float).T] for one in seeds]

    def measure(place: int, counts: Counts) -> Floats:
        return rank_matrices(rankers[place], counts)

    pool = 1 + max(int(own.max()) for own in members)
    return resampled(members, pool, measure, resamples, random)


def partial(matrices: Floats, first: int, second: int, given: Sequence[int]) -> Floats:
    """Returns the partial correlation of two columns given others, from correlation matrices.

    It is the correlation of what is left of both when the ranks of the others are regressed out
    (Kendall & Stuart, "The Advanced Theory of Statistics", volume 2, chapter 27), read off the
    inverse of the correlation matrix.

    Args:
        matrices: …×k×k correlation matrices.
        first: Column.
        second: Column.
        given: The columns held fixed.

    Returns:
        … numbers in [−1, 1]; NaN where a column is constant, or follows from the others.
    """
    chosen = [first, second, *given]
    parts = matrices[..., chosen, :][..., chosen]
    result: Floats = np.full(parts.shape[:-2], np.nan)
    # A determinant this small is rounding: one column is a combination of the others.
    with np.errstate(invalid="ignore"):
        regular = np.linalg.det(parts) > 1e-10
    precision = np.linalg.inv(parts[regular])
    scale = np.sqrt(precision[..., 0, 0] * precision[..., 1, 1])
    result[regular] = -precision[..., 0, 1] / scale
    return result


def rank_matrices(columns: Sequence[Ranker], counts: Counts) -> Floats:
    """Returns the b×k×k correlation matrices of b resamples, given as counts (b×n)."""
    doubled = np.stack([column.doubled_midranks(counts)[0] for column in columns], axis=1)
    ranks = (doubled - counts.sum(axis=1)[:, None, None]) / 2
    covariance = (ranks * counts[:, None, :]) @ ranks.swapaxes(1, 2)
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    return correlation(covariance, variance[:, :, None], variance[:, None, :])

"""What scores tell about the accuracy, in bits: conditional entropy of binned columns.

H(y | z₁…z_k) = H(z, y) − H(z), from how often each combination of bins occurs. With many bins there
are more combinations than architectures, every one of them tells all, and the entropy falls to 0
whatever the scores are: so we take few bins, correct the bias, and show beside it what remains of
an accuracy that was shuffled, which no score can tell anything about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from harness.stats.ranks import Floats

Codes = npt.NDArray[np.int64]
"""Bins, or combinations of bins, as whole numbers from 0."""
QUANTILES = 4


@dataclass(frozen=True)
class Binning:
    """How columns are cut, and whether the bias of the entropy is corrected.

    Attributes:
        name: What tables call it.
        cut: From n numbers to n bins; −∞ is a last place.
        corrected: Whether Miller and Madow's correction is added.
    """

    name: str
    cut: Callable[[npt.ArrayLike], Codes]
    corrected: bool


@dataclass(frozen=True)
class Sample:
    """What one seed holds.

    Attributes:
        bins: k×n, of the scores of k proxies.
        truth: n bins of the accuracy.
    """

    bins: Codes
    truth: Codes


def quantile_bins(values: npt.ArrayLike, count: int = QUANTILES) -> Codes:
    """Cuts numbers by their ranks into bins of equally many; equal numbers share a bin."""
    from scipy.stats import rankdata

    below = rankdata(values, method="min") - 1
    bins: Codes = np.floor(below * count / max(1, len(below))).astype(np.int64)
    return bins


def equal_width_bins(values: npt.ArrayLike, count: int | None = None) -> Codes:
    """Cuts numbers into bins of equal width, as NAS-Bench-Suite-Zero does.

    Krishnakumar et al. 2022 count round(1 + 3.322 ln n) bins, 24 of a thousand architectures;
    Sturges' rule has log₂ n = 3.322 log₁₀ n, 11. A score without a value is put into the lowest bin
    (their −10⁸ in its place would press all others into the highest).

    Args:
        values: n numbers.
        count: How many bins; theirs by default.
    """
    x = np.asarray(values, dtype=float)
    finite = np.isfinite(x)
    bins = round(1 + 3.322 * math.log(max(1, len(x)))) if count is None else count
    low, high = (x[finite].min(), x[finite].max()) if finite.any() else (0.0, 0.0)
    scaled = (np.where(finite, x, low) - low) / ((high - low) or 1.0)
    cut: Codes = np.minimum((scaled * bins).astype(np.int64), bins - 1)
    return cut


OURS = Binning("quantiles", quantile_bins, corrected=True)
SUITE_ZERO = Binning("equal widths", equal_width_bins, corrected=False)


def entropy(codes: Codes, corrected: bool = False) -> Floats:
    """Returns the entropy of how often values occur, in bits.

    Args:
        codes: …×n whole numbers.
        corrected: Add (m − 1) / 2n nats, m the number of values that occur (Miller 1955, "Note on
            the Bias of Information Estimates").

    Returns:
        … numbers, 0 or more.
    """
    ordered = np.sort(codes, axis=-1)
    n = ordered.shape[-1]
    starts = np.ones(ordered.shape, dtype=bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    rows = np.nonzero(starts.reshape(-1, n))[0]
    # Rows begin with a value, so that the distance to the next beginning is how often it occurs.
    counts = np.diff(np.append(np.flatnonzero(starts), ordered.size))
    sums = np.bincount(rows, counts * np.log2(counts), minlength=starts.reshape(-1, n).shape[0])
    result: Floats = math.log2(n) - sums.reshape(ordered.shape[:-1]) / n
    if corrected:
        result = result + (starts.sum(axis=-1) - 1) / (2 * n * math.log(2))
    return result


def conditional_entropy(truth: Codes, known: Codes, corrected: bool = False) -> Floats:
    """Returns H(truth | known) in bits.

    Args:
        truth: …×n bins.
        known: …×n combinations of bins.
        corrected: As for ``entropy``, of both terms.
    """
    return entropy(combined(known, truth), corrected) - entropy(known, corrected)


def combined(known: Codes, more: Codes) -> Codes:
    """Returns combinations of two columns of bins, numbered anew; arrays broadcast."""
    codes: Codes = known * (more.max() + 1) + more
    return codes


def greedy(samples: Sequence[Sample], most: int, corrected: bool) -> list[int]:
    """Adds, step by step, the column that leaves least entropy, on average over seeds.

    Args:
        samples: The seeds.
        most: Steps; at most k.
        corrected: As for ``entropy``.
    """
    members: list[int] = []
    columns = len(samples[0].bins)
    while len(members) < min(most, columns):
        left = [place for place in range(columns) if place not in members]
        members.append(left[int(np.argmin(_leaves(samples, members, left, corrected)))])
    return members


def exhaustive(samples: Sequence[Sample], size: int, corrected: bool) -> list[int]:
    """Returns the columns of all sets of a size that leave least entropy together.

    Args:
        samples: The seeds.
        size: From 1 to k.
        corrected: As for ``entropy``.
    """
    best: tuple[float, list[int]] = (math.inf, [])
    columns = len(samples[0].bins)
    for start in map(list, combinations(range(columns), size - 1)):
        after = list(range(max(start, default=-1) + 1, columns))
        if after:
            leaves = _leaves(samples, start, after, corrected)
            place = int(np.argmin(leaves))
            best = min(best, (float(leaves[place]), [*start, after[place]]))
    return best[1]


def left_over(sample: Sample, members: Sequence[int], corrected: bool) -> Floats:
    """Returns H(truth | the first 0, 1, 2, … members) in bits."""
    return conditional_entropy(sample.truth, np.stack(_path(sample.bins, members)), corrected)


def _leaves(
    samples: Sequence[Sample], members: Sequence[int], more: Sequence[int], corrected: bool
) -> Floats:
    """Returns the entropy that the members and each one more leave, averaged over seeds."""
    leaves: Floats = np.mean(
        [
            conditional_entropy(
                one.truth, combined(_path(one.bins, members)[-1], one.bins[list(more)]), corrected
            )
            for one in samples
        ],
        axis=0,
    )
    return leaves


def _path(bins: Codes, members: Iterable[int]) -> list[Codes]:
    """Returns the combinations of the first 0, 1, 2, … members, n numbers each."""
    steps = [np.zeros(bins.shape[1], dtype=np.int64)]
    for member in members:
        # Numbered anew, so that the combinations of many columns stay small.
        _, places = np.unique(combined(steps[-1], bins[member]), return_inverse=True)
        steps.append(places.astype(np.int64))
    return steps

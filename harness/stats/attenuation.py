"""How far noise holds a correlation down: that of the accuracies, and that of the scores.

The classical model: what was measured is a true value plus noise that is drawn anew every time.
The reliability of a measurement is the correlation of two of them (Spearman 1904, "The Proof and
Measurement of Association between Two Things"). Here all correlations are those of ranks, for which
the model is an approximation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.stats.ranks import Floats


def reliability(agreement: npt.ArrayLike, runs: int, within: bool) -> Floats:
    """Returns the reliability of a single run from its correlation with a mean of runs.

    With V the variance of true values, σ² that of a run's noise and q = σ²/V, the correlation is
    √((1 + q/m) / (1 + q)) if the run is one of the m averaged, 1 / √((1 + q)(1 + q/m)) if it is
    another; solved for q, the reliability is 1 / (1 + q).

    Args:
        agreement: … correlations of the single run with the mean.
        runs: m, how many runs the mean has; at least 2 if the single run is one of them.
        within: Whether it is.

    Returns:
        … numbers in (0, 1]; NaN where no q gives such a correlation.
    """
    c, m = np.asarray(agreement, dtype=float), float(runs)
    with np.errstate(divide="ignore", invalid="ignore"):
        if within:
            q = (1 - c**2) / (c**2 - 1 / m)
        else:
            half = (1 + m) / 2
            q = np.sqrt(half**2 + m * (1 / c**2 - 1)) - half
        result: Floats = np.where((q >= 0) & (c > 0), 1 / (1 + q), np.nan)
    return result


def of_mean(single: npt.ArrayLike, repeats: npt.ArrayLike) -> Floats:
    """Returns the reliability of a mean of repeats (Spearman 1910 and Brown 1910).

    Args:
        single: … reliabilities of one.
        repeats: … how many are averaged; infinity gives 1.

    Returns:
        … numbers up to 1; NaN where one repeat has none (0 or below).
    """
    r, k = np.asarray(single, dtype=float), np.asarray(repeats, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = np.where(r > 0, r / (r + (1 - r) / k), np.nan)
    return result


def ceiling(single: npt.ArrayLike, repeats: int) -> Floats:
    """Returns the correlation of true accuracies with what was measured: a perfect proxy's ρ.

    Args:
        single: … reliabilities of a single run.
        repeats: Of how many runs the measured accuracy is the mean.
    """
    root: Floats = np.sqrt(of_mean(single, repeats))
    return root


def corrected(rho: npt.ArrayLike, of_scores: npt.ArrayLike, highest: npt.ArrayLike) -> Floats:
    """Returns the ρ that scores without noise would have with accuracies without noise.

    Spearman's correction for attenuation, ρ / √(reliability of scores · reliability of
    accuracies). It may exceed 1, since all three are estimates.

    Args:
        rho: … correlations.
        of_scores: … reliabilities of the scores; NaN where none is above 0.
        highest: … ceilings of ρ, the roots of the reliabilities of the accuracies.
    """
    r = np.asarray(of_scores, dtype=float)
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.where(r > 0, r, np.nan)) * np.asarray(highest, dtype=float)
    result: Floats = np.asarray(rho, dtype=float) / scale
    return result

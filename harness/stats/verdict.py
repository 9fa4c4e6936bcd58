"""Do two measurements of the same quantity agree, differ, or leave it open?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["agrees", "differs", "too few to tell"]

Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; the ends are infinite where nothing bounds it.

    Attributes:
        value: The number; NaN where it is undefined.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def exact(value: float) -> Estimate:
    """Returns a number that no sample stands behind."""
    return Estimate(value, value, value)


def of_mean(mean: float, deviation: float, n: int) -> Estimate:
    """Returns a mean of n numbers with Student's interval, mean ± t·deviation/√n."""
    return of_single(mean, deviation / math.sqrt(max(n, 1)), n)


def of_single(value: float, deviation: float, n: int) -> Estimate:
    """Returns one draw with Student's interval, value ± t·deviation.

    Args:
        value: The draw.
        deviation: The standard deviation (ddof 1) of n draws like it.
        n: How many; fewer than two bound nothing.
    """
    from scipy.stats import t

    if n < 2:
        return Estimate(value, -math.inf, math.inf)
    half = float(t.ppf(0.975, n - 1)) * deviation
    return Estimate(value, value - half, value + half)


def of_deviation(deviation: float, n: int) -> Estimate:
    """Returns a standard deviation of n numbers with its interval, d ± z·d/√(2(n−1))."""
    if n < 2:
        return Estimate(deviation, -math.inf, math.inf)
    half = Z * deviation / math.sqrt(2 * (n - 1))
    return Estimate(deviation, deviation - half, deviation + half)


def of_correlation(rho: float, n: int) -> Estimate:
    """Returns Spearman's ρ of n pairs with the interval that follows from n alone.

    Bonett & Wright, "Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations", Psychometrika 65 (2000): Fisher's z with variance (1 + ρ²/2)/(n − 3).
    """
    if n < 4 or abs(rho) >= 1:
        return Estimate(rho, -1.0, 1.0)
    half = Z * math.sqrt((1 + rho**2 / 2) / (n - 3))
    z = math.atanh(rho)
    return Estimate(rho, math.tanh(z - half), math.tanh(z + half))


def difference(ours: Estimate, theirs: Estimate) -> Estimate:
    """Returns ours − theirs of independent measurements.

    The intervals' halves add up as squares (Zou, "Toward using confidence intervals to compare
    correlations", Psychological Methods 12, 2007), which keeps them as skewed as they are.
    """
    value = ours.value - theirs.value
    below = math.hypot(ours.value - ours.low, theirs.high - theirs.value)
    above = math.hypot(ours.high - ours.value, theirs.value - theirs.low)
    return Estimate(value, value - below, value + above)


def verdict(found: Estimate, negligible: float, most: float) -> Verdict:
    """Judges a difference by its whole interval.

    Args:
        found: The difference.
        negligible: What is as good as none.
        most: What an agreement must rule out.

    Returns:
        ``differs`` if the interval holds no negligible difference; ``agrees`` if it holds one and
        none beyond ``most``; else ``too few to tell``: it holds both. An undefined difference
        differs.
    """
    slack = 1e-9
    if math.isnan(found.value):
        return "differs"
    if found.low > negligible + slack or found.high < -negligible - slack:
        return "differs"
    # Written so that an end that is NaN leaves it open.
    within = found.low >= -most - slack and found.high <= most + slack
    return "agrees" if within else "too few to tell"

"""Verdicts on differences, against simulation and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import stats
from harness.stats.verdict import (
    Estimate,
    difference,
    exact,
    of_correlation,
    of_deviation,
    of_mean,
    of_single,
    verdict,
)

numbers = st.floats(-1, 1)
widths = st.floats(0, 1)
estimates = st.builds(
    lambda value, below, above: Estimate(value, value - below, value + above),
    *(numbers, widths, widths),
)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (0.0, -0.05, 0.05, "agrees"),
        (0.04, 0.015, 0.065, "agrees"),  # holds a negligible difference, and none beyond 0.1
        (0.04, 0.025, 0.055, "differs"),  # however small, it is there
        (-0.04, -0.055, -0.025, "differs"),
        (0.0, -0.4, 0.4, "too few to tell"),
        (0.3, -0.3, 0.9, "too few to tell"),
        (0.3, 0.1, 0.5, "differs"),
        (0.0, -0.01, math.inf, "too few to tell"),
        (0.5, 0.5, math.inf, "differs"),
        (math.nan, math.nan, math.nan, "differs"),
        (0.0, math.nan, math.nan, "too few to tell"),
    ],
)
def test_verdicts_by_hand(value, low, high, expected):
    assert verdict(Estimate(value, low, high), 0.02, 0.1) == expected


@given(numbers, widths, widths, widths)
def test_a_wider_interval_never_decides_more(value, below, above, more):
    """What is open stays open when less is known, and what differs then differed before."""
    narrow = verdict(Estimate(value, value - below, value + above), 0.02, 0.1)
    wide = verdict(Estimate(value, value - below - more, value + above + more), 0.02, 0.1)
    if narrow == "too few to tell":
        assert wide == narrow
    if wide == "differs":
        assert narrow == "differs"


@given(estimates, estimates)
def test_differences_turn_round(one, other):
    there, back = difference(one, other), difference(other, one)
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low), abs=1e-12
    )
    assert difference(one, exact(0.0)) == one


def coverage(draw, estimate, truth, trials=400):
    """How often an interval of independent draws holds the truth."""
    found = [estimate(draw(np.random.default_rng(i))) for i in range(trials)]
    return np.mean([one.low <= truth <= one.high for one in found])


def test_intervals_cover_what_they_say():
    """95 % of 400 is 380 ± 9."""
    five = coverage(
        lambda random: random.normal(3, 2, 5), lambda x: of_mean(x.mean(), x.std(ddof=1), 5), 3
    )
    spread = coverage(
        lambda random: random.normal(0, 2, 300), lambda x: of_deviation(x.std(ddof=1), 300), 2
    )
    r = 0.8
    rho = coverage(
        lambda random: random.multivariate_normal([0, 0], [[1, r], [r, 1]], 200),
        lambda x: of_correlation(stats.spearman(*x.T), 200),
        6 / np.pi * np.arcsin(r / 2),
    )
    # Another draw varies as much as the mean does, and by its own deviation.
    single = coverage(
        lambda random: random.normal(3, 2, 6),
        lambda x: difference(
            of_mean(x[1:].mean(), x[1:].std(ddof=1), 5), of_single(x[0], x[1:].std(ddof=1), 5)
        ),
        0,
    )
    for share in (five, spread, rho, single):
        assert 0.92 <= share <= 0.98


def test_a_number_alone_bounds_nothing():
    assert of_mean(3.0, math.nan, 1) == Estimate(3.0, -math.inf, math.inf)
    assert of_deviation(math.nan, 1).high == math.inf
    assert of_mean(3.0, 0.0, 4) == exact(3.0)
    assert of_correlation(1.0, 50) == Estimate(1.0, -1.0, 1.0)

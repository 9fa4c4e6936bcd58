"""The sweep of mu and sigma against a plain one, and where float64 ends."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from harness.core.errors import DataError, HarnessError
from harness.core.sections import Place
from harness.passes.settings import RegulariserSettings
from harness.proxies.swap import size_factor
from harness.stats import log_regularised, regularised, sweep

GRID = [(None, None), (0.1, 0.1), (1.5, 1.5), (40.0, 0.3), (0.3, 30.0)]


def make_scores(n=60, seeds=(1, 2), largest=1.5):
    parts = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        theta = random.uniform(0.07, largest, n)
        psi = np.floor(1000 * theta + random.normal(0, 300, n)).clip(1)
        truth = theta + random.normal(0, 0.3, n)
        parts.append(pd.DataFrame({"seed": seed, "value": psi, "theta": theta, "truth": truth}))
    return pd.concat(parts, ignore_index=True)


def slow_spearman(x, y):
    """Pearson's correlation of average ranks, counted one by one."""
    rank_x, rank_y = (
        [1 + sum(b < a for b in v) + (sum(b == a for b in v) - 1) / 2 for a in v] for v in (x, y)
    )
    mean = (len(x) + 1) / 2
    top = sum((a - mean) * (b - mean) for a, b in zip(rank_x, rank_y, strict=True))
    spread = [math.sqrt(sum((a - mean) ** 2 for a in ranks)) for ranks in (rank_x, rank_y)]
    return top / (spread[0] * spread[1])


def test_sweep_against_a_slow_one():
    scores = make_scores()
    table = sweep(scores, GRID)
    assert len(table) == len(GRID) * 2
    rows = iter(table.itertuples())
    for mu, sigma in GRID:
        for seed in (1, 2):
            row = next(rows)
            own = scores[scores.seed == seed]
            products = [
                psi if mu is None else psi * math.exp(-((theta - mu) ** 2) / sigma)
                for psi, theta in zip(own.value, own.theta, strict=True)
            ]
            logs = [
                math.log(psi) - (0 if mu is None else (theta - mu) ** 2 / sigma)
                for psi, theta in zip(own.value, own.theta, strict=True)
            ]
            assert row.seed == seed and row.n == 60
            assert row.mu == mu if mu is not None else np.isnan(row.mu)
            if len(set(products)) > 1:
                assert row.spearman == pytest.approx(slow_spearman(products, list(own.truth)))
            else:
                assert np.isnan(row.spearman)
            assert row.spearman_log == pytest.approx(slow_spearman(logs, list(own.truth)))
            assert row.tied == max(products.count(p) for p in products)
            rounded = [
                psi if mu is None else psi * round(math.exp(-((theta - mu) ** 2) / sigma), 4)
                for psi, theta in zip(own.value, own.theta, strict=True)
            ]
            if len(set(rounded)) > 1:
                assert row.spearman_rounded == pytest.approx(
                    slow_spearman(rounded, list(own.truth))
                )


@given(st.integers(1, 10**5), st.integers(0, 60 * 10**6), st.floats(-5, 60), st.floats(0.05, 60))
def test_product_is_the_proxys(psi, parameters, mu, sigma):
    factor = size_factor(parameters, RegulariserSettings(mu, sigma, 1e6))
    ours = regularised([psi], [parameters / 1e6], mu, sigma)
    assert ours.dtype == np.float64
    assert ours[0] == pytest.approx(psi * factor, rel=1e-12, abs=1e-300)


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=5),
    st.integers(1, 10**9),
    st.sampled_from([1.0, 1e3, 1e6]),
)
def test_auto_knows_no_unit(sizes, parameters, unit):
    """Scaling all sizes changes no factor: exp(-(theta / mu - 1)^2 / 2), mu the largest size."""
    place = Place("of_my_own", "digits", 64, lambda: sizes)
    automatic = RegulariserSettings("auto", "auto", unit).at(place)
    assert automatic == RegulariserSettings(unit=unit).at(place), "the default of a new space"
    expected = math.exp(-((parameters / max(sizes) - 1) ** 2) / 2)
    assert size_factor(parameters, automatic) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_printed_values_stay_the_spaces_own():
    def chosen(space, task="cifar10", **given):
        found = RegulariserSettings(**given).at(Place(space, task, 64, lambda: [4_000_000]))
        return found.mu, found.sigma

    assert [chosen(name) for name in ("nb101", "nb201", "nb301")] == [
        (40, 40),
        (1.5, 1.5),
        (1.8, 1.8),
    ]
    assert chosen("darts") == (0.9, 0.9) and chosen("darts", "imagenet") == (25, 25)
    assert chosen("tnb101_macro", "jigsaw") == (4, 32)
    assert chosen("darts_swap") == (4000, 2 * 4000**2), "in thousands"
    assert chosen("nb201", mu="auto", sigma="auto") == (4, 32)
    assert chosen("tnb101_macro", "jigsaw", mu=3) == (3, 18)
    with pytest.raises(HarnessError, match=r"regulariser.sigma=0.* is wrong"):
        chosen("tnb101_macro", "jigsaw", mu=0)


def test_underflow_ties_stay_and_logarithms_tell_them_apart():
    """At mu = 40 and sigma = 0.3, networks of few million parameters all score exactly 0."""
    theta = np.array([1.0, 2.0, 3.0, 30.0, 39.9])
    product = regularised(np.full(5, 100.0), theta, 40, 0.3)
    assert (product[:3] == 0).all() and product[3] > 0
    assert rankdata(log_regularised(np.full(5, 100.0), theta, 40, 0.3)).tolist() == [1, 2, 3, 4, 5]
    scores = pd.DataFrame({"seed": 1, "value": 100.0, "theta": theta, "truth": theta[::-1]})
    row = sweep(scores, [(40, 0.3)]).iloc[0]
    assert row.tied == 3
    assert row.spearman_log == pytest.approx(-1)
    assert -1 < row.spearman < -0.8


def test_where_nothing_underflows_both_rankings_agree():
    table = sweep(make_scores(), [(1.5, 1.5), (0.7, 0.7)])
    assert np.allclose(table.spearman, table.spearman_log)


def test_large_mu_ranks_by_size():
    scores = make_scores().assign(truth=lambda rows: rows.theta)
    assert (sweep(scores, [(1000.0, 1.0)]).spearman_log > 0.9999).all()
    assert (sweep(scores, [(-1000.0, 1.0)]).spearman_log < -0.9999).all()


def test_a_count_of_zero_is_last():
    assert log_regularised([0, 1], [1, 1], None, None).tolist() == [-np.inf, 0]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows.drop(columns="theta"), "no column 'theta'"),
        (lambda rows: rows.assign(value=np.nan), "finite"),
    ],
)
def test_faults(spoil, message):
    with pytest.raises(DataError, match=message):
        sweep(spoil(make_scores()), GRID)

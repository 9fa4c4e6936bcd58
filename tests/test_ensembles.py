"""Combinations of finished scores against their definitions, spelled out pair by pair."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, spearmanr

from harness.core.errors import DataError
from harness.stats.ensembles import (
    information_gain,
    libra,
    libra_members,
    rank_log,
    robot,
    robot_weights,
    scaled,
    vote,
)
from harness.stats.weight_search import best_weights

NAN = math.nan
SCORES = arrays(float, (7, 3), elements=st.sampled_from([0.0, 1.0, 2.0, 3.5, -1.0, NAN]))


def drawn(n=60, k=4, seed=0):
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    noise = np.linspace(0.2, 3, k)
    return truth[:, None] + noise * random.normal(size=(n, k)), truth


def last_if_undefined(column):
    return [-math.inf if math.isnan(x) else x for x in column]


@given(SCORES)
def test_rank_log_is_a_sum_of_log_ranks(columns):
    expected = np.zeros(len(columns))
    for column in columns.T:
        expected += [math.log(r / len(columns)) for r in rankdata(last_if_undefined(column))]
    np.testing.assert_allclose(rank_log(columns), expected)


@given(SCORES)
def test_a_vote_counts_the_pairs_that_most_columns_win(columns):
    values = [last_if_undefined(row) for row in columns]
    expected = np.zeros(len(columns))
    for i, j in itertools.permutations(range(len(columns)), 2):
        wins = sum(a > b for a, b in zip(values[i], values[j], strict=True))
        defeats = sum(a < b for a, b in zip(values[i], values[j], strict=True))
        expected[i] += int(wins > defeats) - int(wins < defeats)
    np.testing.assert_allclose(vote(columns), expected / (len(columns) - 1))


def test_a_vote_over_one_column_is_its_ranking():
    columns, _ = drawn(k=1)
    np.testing.assert_array_equal(rankdata(vote(columns)), rankdata(columns[:, 0]))


@given(st.floats(0.1, 50), st.floats(-5, 5))
def test_blind_combinations_see_ranks_alone(stretch, shift):
    columns, _ = drawn()
    moved = np.exp(columns / 4) * stretch + shift
    for combine in (rank_log, vote):
        np.testing.assert_allclose(combine(moved), combine(columns))


def test_scaled_columns():
    columns = np.array([[1.0, 5, NAN], [3, 5, -2], [NAN, 5, 2], [2, 5, 0]])
    expected = [[0, 0, 0], [1, 0, 0], [0, 0, 1], [0.5, 0, 0.5]]
    np.testing.assert_allclose(scaled(columns), expected)


def test_robot_finds_the_sign_of_a_column_that_ranks_backwards():
    columns, truth = drawn(n=200, k=2)
    columns[:, 0] *= -1
    weights = robot_weights(columns, truth)
    assert (np.abs(weights) <= 1).all()
    assert weights[0] < 0
    assert spearmanr(robot(columns, truth), truth).statistic > 0.8
    np.testing.assert_allclose(robot(columns, truth), scaled(columns) @ weights)


def test_robot_looks_at_no_more_accuracies_than_it_may():
    """Accuracies of what is never ranked first can be anything."""
    columns, truth = drawn(n=80)
    scores, tried = scaled(columns), []

    def value(weights):
        tried.append(int(np.argmax(scores @ weights)))
        return float(truth[tried[-1]])

    expected = best_weights(value, columns.shape[1], 5, np.random.default_rng(0))
    assert len(tried) == 5
    others = np.setdiff1d(range(len(truth)), tried)
    changed = truth.copy()
    changed[others] = -100
    np.testing.assert_array_equal(robot_weights(columns, truth, queries=5), expected)
    np.testing.assert_array_equal(robot_weights(columns, changed, queries=5), expected)


def test_robot_repeats():
    columns, truth = drawn()
    np.testing.assert_array_equal(robot(columns, truth), robot(columns, truth))
    assert not np.array_equal(robot_weights(columns, truth, seed=1), robot_weights(columns, truth))


def test_information_gain_by_hand():
    """Of four architectures in three bins (1 + log2 4): truth is told wholly, or not at all."""
    truth = [0.0, 1, 2, 3]
    assert information_gain(truth, truth, [3.0, 1, 2, 0]) == pytest.approx(0)
    constant = [0.0, 0, 0, 0]
    # Bins 0, 0, 1, 2 have the entropy 1.5 log 2, of which a column in the same order tells all.
    assert information_gain(truth, constant, truth) == pytest.approx(1.5 * math.log(2))


@given(st.integers(0, 20))
def test_information_never_hurts(seed):
    columns, truth = drawn(seed=seed)
    assert information_gain(truth, columns[:, 0], columns[:, 1]) >= -1e-12


def test_libra_chooses_by_rank_correlation_then_information_then_bias():
    columns, truth = drawn(n=400, k=4)
    sizes = truth + np.random.default_rng(9).normal(size=400)
    columns[:, 1] = columns[:, 0] ** 3  # tells nothing beyond the first
    columns[:, 2] = columns[:, 0] + 0.05 * np.random.default_rng(1).normal(size=400)
    columns[:, 3] = -truth
    first, second, third = libra_members(columns, truth, sizes)
    assert {first, second, third} == {0, 1, 2}
    best = max(range(4), key=lambda j: spearmanr(columns[:, j], truth).statistic)
    assert spearmanr(columns[:, first], truth).statistic == pytest.approx(
        spearmanr(columns[:, best], truth).statistic
    )
    np.testing.assert_allclose(
        libra(columns, truth, sizes), rank_log(columns[:, [first, second, third]])
    )


def test_libra_takes_fewer_where_fewer_come_near():
    columns, truth = drawn(n=100, k=3)
    columns[:, 0], columns[:, 1:] = truth, -truth[:, None]
    assert libra_members(columns, truth, truth) == [0]


@pytest.mark.parametrize("truth", [np.ones(3), np.full(60, NAN)])
def test_accuracies_that_are_missing(truth):
    columns, _ = drawn()
    with pytest.raises(DataError, match="60 accuracies"):
        robot(columns, truth)
    with pytest.raises(DataError, match="60 accuracies"):
        libra(columns, truth, np.ones(60))

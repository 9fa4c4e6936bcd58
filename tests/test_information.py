"""Conditional entropy and similarity of proxies, against dictionaries and by hand."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from test_analysis import scores

from harness import stats
from harness.stats.complementarity import clustered, information, jaccard, similarity
from harness.stats.information import (
    OURS,
    SUITE_ZERO,
    Sample,
    conditional_entropy,
    entropy,
    equal_width_bins,
    exhaustive,
    greedy,
    left_over,
    quantile_bins,
)
from harness.stats.top import membership

RANDOM = np.random.default_rng(0)
CODES = st.lists(st.integers(0, 4), min_size=1, max_size=30)


def slow_entropy(values: list) -> float:
    n = len(values)
    return -sum(c / n * math.log2(c / n) for c in Counter(values).values())


@given(CODES)
def test_entropy_is_that_of_the_counts(values: list[int]) -> None:
    codes = np.array(values)
    assert entropy(codes) == pytest.approx(slow_entropy(values), abs=1e-9)
    nats = (len(set(values)) - 1) / (2 * len(values))
    assert entropy(codes, corrected=True) - entropy(codes) == pytest.approx(nats / math.log(2))
    assert entropy(np.stack([codes, codes])) == pytest.approx([slow_entropy(values)] * 2, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_conditional_entropy_is_the_mean_over_what_is_known(pairs: list[tuple[int, int]]) -> None:
    y, z = np.array(pairs).T
    slow = sum(
        count / len(pairs) * slow_entropy([a for a, b in pairs if b == known])
        for known, count in Counter(b for _, b in pairs).items()
    )
    assert conditional_entropy(y, z) == pytest.approx(slow, abs=1e-9)


def test_quantile_bins_are_equally_full_and_keep_ties_together() -> None:
    assert Counter(quantile_bins(RANDOM.normal(size=1000)).tolist()) == dict.fromkeys(range(4), 250)
    assert quantile_bins([-np.inf, -np.inf, -np.inf, 1.0]).tolist() == [0, 0, 0, 3]


def test_suite_zero_counts_24_bins_of_equal_width() -> None:
    values = np.linspace(0, 1, 1000)
    bins = equal_width_bins(values)
    assert bins.max() + 1 == 24
    assert np.ptp(np.bincount(bins)) <= 1, "evenly spread values fill them evenly"
    far = equal_width_bins(np.append(values, 1e6))
    assert Counter(far.tolist())[0] == 1000, "one far value presses all others together"
    assert equal_width_bins([-np.inf, 2.0, 3.0], 2).tolist() == [0, 0, 1]
    assert equal_width_bins([5.0, 5.0]).tolist() == [0, 0]


def independent(n: int = 1000, k: int = 6) -> Sample:
    bins = np.stack([quantile_bins(column) for column in RANDOM.normal(size=(k, n))])
    return Sample(bins, quantile_bins(RANDOM.normal(size=n)))


def test_orders_by_trying_everything() -> None:
    sample = independent(k=5)

    def leaves(members: tuple[int, ...]) -> float:
        known = [tuple(column) for column in sample.bins[list(members)].T]
        return slow_entropy(list(zip(known, sample.truth.tolist(), strict=True))) - slow_entropy(
            known
        )

    best = min(combinations(range(5), 2), key=leaves)
    assert tuple(exhaustive([sample], 2, corrected=False)) == best
    first = min(range(5), key=lambda one: leaves((one,)))
    second = min((one for one in range(5) if one != first), key=lambda one: leaves((first, one)))
    order = greedy([sample], 2, corrected=False)
    assert order == [first, second]
    assert left_over(sample, order, corrected=False)[1:] == pytest.approx(
        [leaves((first,)), leaves((first, second))]
    )


def test_what_is_known_leaves_nothing() -> None:
    truth = quantile_bins(RANDOM.normal(size=400))
    sample = Sample(np.stack([RANDOM.permutation(truth), truth]), truth)
    assert greedy([sample], 2, corrected=True)[0] == 1
    assert left_over(sample, [1], corrected=False).tolist() == pytest.approx([2, 0], abs=1e-9)


def test_many_bins_seem_to_know_a_shuffled_accuracy() -> None:
    table = scores(n=400, seeds=1)
    curves = {
        binning.name: information(stats.joint(table), binning).set_index(["order", "k"])
        for binning in (OURS, SUITE_ZERO)
    }
    ours, theirs = (curves[binning.name]["share"] for binning in (OURS, SUITE_ZERO))
    assert theirs["shuffled", 4] < 0.1
    assert ours["shuffled", 2] > 0.95
    assert ours["greedy", 1] < 0.5
    own = curves[OURS.name]
    assert own.proxies["greedy", 1] == "reg_swap" == own.proxies["exhaustive", 1]
    assert own.low["greedy", 1] < ours["greedy", 1] < own.high["greedy", 1]
    assert (ours["exhaustive"].dropna() <= ours["greedy"].iloc[:4] + 1e-9).all()
    assert own.learnt["greedy", 1] == pytest.approx(ours["shuffled", 1] - ours["greedy", 1])


def test_proxies_without_information_teach_nothing() -> None:
    table = scores(n=1000, seeds=2)
    noise = table[table.proxy.isin(["params", "flops"])]
    learnt = information(stats.joint(noise), OURS).query("order == 'greedy'").learnt
    assert learnt.abs().max() < 0.02


def test_similarity_is_symmetric_and_scipys() -> None:
    joined = stats.joint(scores(seeds=1))
    table = similarity(joined).set_index(["proxy", "other"])
    assert len(table) == 6
    own = joined.columns[0]
    assert table.spearman["swap", "params"] == pytest.approx(
        spearmanr(own.swap, own.params).statistic
    )
    tenths = [set(own[name].nlargest(6).index) for name in ("reg_swap", "swap")]
    assert table.overlap["reg_swap", "swap"] == pytest.approx(
        len(tenths[0] & tenths[1]) / len(tenths[0] | tenths[1])
    )
    assert (table.low <= table.spearman).all()


def test_jaccard_of_ties_is_by_expectation() -> None:
    everything_tied = membership(np.zeros(100), 10)
    assert jaccard(everything_tied, everything_tied) == pytest.approx(1 / 19)


def test_similar_rows_stand_together() -> None:
    matrix = np.full((4, 4), 0.1)
    for i, j in ((0, 2), (1, 3)):
        matrix[i, j] = matrix[j, i] = 0.9
    matrix[0, 1] = matrix[1, 0] = np.nan
    order = clustered(matrix)
    assert abs(order.index(0) - order.index(2)) == 1 == abs(order.index(1) - order.index(3))
    assert clustered(np.ones((1, 1))) == [0]

"""What is measured of the best architectures, against counting over all ways to break ties."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from harness import stats
from harness.analyses.top_k import above_chance
from harness.stats import top
from harness.stats.top import MEASURES, Order, Resamples

FEW = st.lists(st.integers(0, 3), min_size=2, max_size=6)


def measured(measure, scores, truth, *settings, counts=None, unit=100.0):
    """One measure of one resample: all once, unless counts say otherwise."""
    once = np.atleast_2d(np.ones(len(truth)) if counts is None else counts).astype(np.int32)
    truth = np.array(truth, dtype=float)
    sample = Resamples(once, truth, Order(truth), unit)
    return measure(sample, sample.top(Order(scores), len(truth)), *settings)[0]


def orders(scores):
    """All rankings, best first, that break ties in some way."""
    n = len(scores)
    return [
        list(order)
        for order in itertools.permutations(range(n))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]


def accuracies(data, n):
    return data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))


@given(FEW, st.data())
def test_best_of_top_is_the_mean_over_tie_breaks(scores, data):
    n = len(scores)
    truth = accuracies(data, n)
    k = data.draw(st.integers(1, n))
    slow = np.mean([max(truth[i] for i in order[:k]) for order in orders(scores)])
    assert measured(top.best_of_top, scores, truth, k) == pytest.approx(slow)
    assert measured(top.regret, scores, truth, k) == pytest.approx(max(truth) - slow)


@given(FEW, st.data())
def test_precision_and_recall_are_means_over_tie_breaks(scores, data):
    n = len(scores)
    truth = accuracies(data, n)
    k, best = (data.draw(st.integers(1, n)) for _ in "kb")
    common = np.mean([len({*a[:k]} & {*b[:best]}) for a in orders(scores) for b in orders(truth)])
    assert measured(top.precision, scores, truth, k, best) == pytest.approx(common / k)
    assert measured(top.recall, scores, truth, k, best) == pytest.approx(common / best)


@given(FEW, st.data(), st.sampled_from([1, 100]))
def test_ndcg_is_the_mean_over_tie_breaks(scores, data, scale):
    n = len(scores)
    truth = np.add(accuracies(data, n), 1) * 20
    k = data.draw(st.integers(1, n))

    def dcg(order):
        return sum(
            (2 ** (truth[i] / 100 * scale) - 1) / math.log2(1 + place)
            for place, i in enumerate(order[:k], start=1)
        )

    slow = np.mean([dcg(order) for order in orders(scores)]) / dcg(orders(truth)[0])
    assert measured(top.ndcg, scores, truth, k, scale) == pytest.approx(slow)


def test_ndcg_by_hand():
    """Accuracies 0, 1, 0.5 in the order of the scores: 0.631 + 0.414/2 to 1 + 0.414·0.631."""
    value = measured(top.ndcg, [3, 2, 1], [0, 1, 0.5], 3, 1, unit=1.0)
    third = math.sqrt(2) - 1
    expected = (1 / math.log2(3) + third / 2) / (1 + third / math.log2(3))
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("name", MEASURES)
@given(data=st.data())
def test_a_resample_is_measured_as_its_copies_are(name, data):
    n = data.draw(st.integers(3, 40))
    numbers = st.lists(st.integers(0, 6), min_size=n, max_size=n)
    scores, truth, counts = (np.array(data.draw(numbers)) for _ in range(3))
    counts[0] = 1  # some are drawn
    truth += 1
    copies = [np.repeat(column, counts) for column in (scores, truth)]
    expected = measured(MEASURES[name], *copies)
    assert measured(MEASURES[name], scores, truth, counts=counts) == pytest.approx(expected)


def test_large_ties_do_not_overflow():
    truth = np.arange(5000.0)
    assert 4990 < measured(top.best_of_top, np.zeros(5000), truth, 2500) <= 4999
    assert measured(top.precision, np.zeros(5000), truth, 0.1, 0.1) == pytest.approx(0.1)


def table(n=1000, seeds=2):
    parts = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        truth = random.normal(70, 5, size=n)
        values = {"oracle": truth, "noisy": truth + random.normal(0, 5, n), "constant": truth * 0}
        parts += [
            pd.DataFrame(
                {
                    "space": "nb201",
                    "task": "digits",
                    "key": [f"{seed}-{i}" for i in range(n)],
                    "proxy": name,
                    "seed": seed,
                    "value": value,
                    "status": "ok",
                    "truth": truth,
                }
            )
            for name, value in values.items()
        ]
    return pd.concat(parts, ignore_index=True)


def test_the_accuracy_itself_a_constant_and_what_lies_between():
    joined = stats.joint(table(), resamples=50)
    found = stats.top_k(joined).set_index(["proxy", "measure"])
    oracle, noisy, constant = (found.loc[name] for name in ("oracle", "noisy", "constant"))
    regrets = [name for name in MEASURES if name.startswith("regret")]
    # Half a hundred hold no more than 50 of the 64 best.
    assert oracle.value.drop([*regrets, "top_64_in_5"]).eq(1).all()
    assert oracle.value["top_64_in_5"] == pytest.approx(50 / 64)
    assert (oracle.value[regrets] == 0).all()
    assert constant.value.drop(["spearman_best_10", "spearman_best_25"]).equals(
        constant.chance.drop(["spearman_best_10", "spearman_best_25"])
    )
    assert constant.chance["precision_tenth"] == pytest.approx(0.1)
    assert constant.chance["top_64_in_5"] == pytest.approx(0.05)
    assert (noisy.low <= noisy.value).all()
    assert (noisy.value <= noisy.high).all()
    better = noisy.drop(regrets)
    assert (better.value > better.chance).all()


def test_rho_among_the_best_is_that_of_the_best():
    joined = stats.joint(table(seeds=1), resamples=20)
    own = joined.columns[0].nlargest(100, "truth")
    found = stats.top_k(joined).set_index(["proxy", "measure"]).value
    expected = spearmanr(own["noisy"], own["truth"]).statistic
    assert found["noisy", "spearman_best_10"] == pytest.approx(expected)


def test_what_a_few_architectures_cannot_tell_is_left_out():
    few = stats.top_k(stats.joint(table(n=30), resamples=20))
    assert set(few.measure) == {
        *("ndcg_fraction", "ndcg_percent", "precision_10", "precision_tenth"),
        *("regret_1", "regret_10"),
    }
    no_share = stats.top_k(stats.joint(table(n=30), resamples=20), unit=math.nan)
    assert not no_share.measure.str.startswith("ndcg").any()


def test_a_share_stands_above_chance() -> None:
    """Cohen's scale: chance is 0, all is 1, and what is worse than chance is below 0."""
    shares = pd.DataFrame({"value": [0.1, 1.0, 0.0, 0.55], "chance": 0.1}).assign(low=0.1, high=1.0)
    moved = above_chance(shares)
    assert moved.value.tolist() == pytest.approx([0, 1, -1 / 9, 0.5])
    assert moved.low.tolist() == pytest.approx([0] * 4)
    assert moved.high.tolist() == pytest.approx([1] * 4)

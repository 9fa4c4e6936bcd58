"""Ensembles on architectures they did not see, and recipes for spaces they did not see."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, spearmanr
from test_analysis import scores

from harness import stats
from harness.core.errors import HarnessError
from harness.stats import held_out as trials
from harness.stats.comparisons import Joint
from harness.stats.ensembles import rank_log
from harness.stats.recipes import (
    ALL,
    BEST,
    RECIPE,
    SINGLE,
    common,
    leave_one_space_out,
    subset_rho,
    subsets,
)


def joined(n: int = 300, seeds: int = 1) -> Joint:
    return stats.joint(scores(n, seeds), resamples=2)


def split(asked: int = 40, seed: int = 0) -> trials.HalfSeen:
    own = joined().columns[0]
    names = list(own)[:-1]
    return trials.HalfSeen(
        names, own[names].to_numpy(), np.arange(asked), own.truth.to_numpy(), seed
    )


@pytest.mark.parametrize("name", [key for key in trials.methods(["params"]) if key[1]])
def test_nobody_looks_at_what_was_not_asked_for(name: tuple[str, int]) -> None:
    before = split()
    hidden = before.truth.copy()
    hidden[len(before.asked) :] = np.nan
    after = trials.HalfSeen(before.names, before.scores, before.asked, hidden, before.seed)
    if name[0] == "linear":  # ranks what was asked for, and nothing else
        hidden[len(before.asked) :] = -99
    ensemble = trials.methods(before.names)[name]
    assert np.array_equal(ensemble(before), ensemble(after))


def test_linear_is_ridge_with_the_best_left_out_error() -> None:
    one = split(25)
    ranks = rankdata(one.scores, axis=0) / len(one.scores)
    x, y = ranks[one.asked], rankdata(one.truth[one.asked]) / len(one.asked)

    def ridge(x: np.ndarray, y: np.ndarray, at: np.ndarray, penalty: float) -> np.ndarray:
        centre = x.mean(axis=0)
        inner = (x - centre).T @ (x - centre) + penalty * np.eye(x.shape[1])
        return y.mean() + (at - centre) @ np.linalg.solve(inner, (x - centre).T @ (y - y.mean()))

    def left_out(penalty: float) -> float:
        others = [np.arange(len(y)) != i for i in range(len(y))]
        return sum(
            (y[i] - ridge(x[own], y[own], x[i], penalty)) ** 2 for i, own in enumerate(others)
        )

    best = min(trials.PENALTIES, key=left_out)
    expected = ridge(x, y, ranks, best)
    assert np.corrcoef(trials.linear(one), expected)[0, 1] == pytest.approx(1)


def test_looking_at_accuracies_helps_where_proxies_differ() -> None:
    table = trials.held_out(joined(seeds=2)).set_index(["ensemble", "accuracies"])
    assert table.n.eq(150).all()
    assert table.seeds.eq(2).all()
    assert table.spearman["linear", 100] > table.spearman["rank_log", 0] + 0.1, "half is noise"
    assert table.spearman["best proxy", 100] > 0.95, "reg_swap is nearly the accuracy"
    assert (table.low < table.spearman).all()
    assert (table.spearman < table.high).all()


def test_few_architectures_leave_out_who_asks_for_more() -> None:
    table = trials.held_out(joined(60))
    assert set(table.accuracies) == {0, 20}


def spaces(n: int = 80) -> dict[tuple[str, str], list[pd.DataFrame]]:
    """``good`` and ``half`` help everywhere; ``lure`` is perfect in space b, elsewhere useless."""
    found = {}
    for place, space in enumerate(["a", "b", "c"]):
        random = np.random.default_rng(place)
        truth, extra = random.normal(size=(2, n))
        found[space, "t"] = [
            pd.DataFrame(
                {
                    "good": truth + extra,
                    "half": truth - extra + 0.1 * random.normal(size=n),
                    "lure": truth if space == "b" else random.normal(size=n),
                    "constant": np.zeros(n),
                    "truth": truth,
                }
            )
        ]
    return found


def test_subsets_are_ranked_as_rank_log_is() -> None:
    own = spaces()["a", "t"][0]
    names = ["good", "half", "lure"]
    sets = subsets(names, 2)
    assert sets == [
        ("good",),
        ("half",),
        ("lure",),
        ("good", "half"),
        ("good", "lure"),
        ("half", "lure"),
    ]
    slow = [spearmanr(rank_log(own[list(one)]).round(9), own.truth).statistic for one in sets]
    assert subset_rho(own, names, sets) == pytest.approx(slow)


def test_a_recipe_is_chosen_elsewhere() -> None:
    columns = spaces()
    assert common(columns) == ["good", "half", "lure"], "a constant ranks nothing"
    table, choice = leave_one_space_out(columns, resamples=50)
    chosen = choice[choice.method == RECIPE].set_index("left_out").proxies
    assert chosen["b"] == "good half"
    own = table.set_index(["column", "method"])
    assert own.proxies["b/t", RECIPE] == "good half"
    assert own.proxies["b/t", BEST] == "lure"
    assert own.spearman["b/t", BEST] == pytest.approx(1)
    assert own.difference["b/t", RECIPE] < 0
    assert own.difference_high["b/t", RECIPE] < 0
    assert own.spearman["a/t", RECIPE] > own.spearman["a/t", SINGLE]
    assert own.proxies["a/t", ALL] == "good half lure"
    assert (own.low <= own.spearman).all()


def test_the_space_that_is_tested_has_no_say() -> None:
    columns = spaces()
    _, before = leave_one_space_out(columns, resamples=2)
    own = columns["b", "t"][0]
    changed = columns | {("b", "t"): [own.assign(truth=-own.truth)]}
    _, after = leave_one_space_out(changed, resamples=2)
    unseen = before.left_out == "b"
    assert before[unseen].equals(after[unseen])
    assert not before.equals(after)


def test_one_space_is_not_enough() -> None:
    with pytest.raises(HarnessError, match="of two"):
        leave_one_space_out({("a", "t"): spaces()["a", "t"]})

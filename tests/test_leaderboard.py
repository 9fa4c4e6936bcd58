"""Proxies over columns: printed examples of the tests, and rankings whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare
from test_analysis import scores

from harness import stats
from harness.core.errors import HarnessError
from harness.stats.leaderboard import (
    alike,
    critical_difference,
    friedman,
    holm,
    leaderboard,
    placed,
)


def test_friedman_is_demsars_example() -> None:
    """Demšar 2006, section 3.2.2: four classifiers on 14 data sets."""
    chi, statistic, p = friedman([3.143, 2.000, 2.893, 1.964], 14)
    assert chi == pytest.approx(9.28, abs=0.01)
    assert statistic == pytest.approx(3.69, abs=0.01)
    assert 0.01 < p < 0.05


def test_friedman_is_scipys() -> None:
    rho = np.random.default_rng(0).normal(size=(9, 5))
    chi, _, _ = friedman(placed(rho).mean(axis=0), 9)
    assert chi == pytest.approx(friedmanchisquare(*rho.T).statistic)


def test_the_same_order_everywhere_is_certain() -> None:
    assert friedman([1, 2, 3], 6)[2] == 0


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (4, 2.569), (10, 3.164)])
def test_critical_difference_has_the_printed_q(k: int, q: float) -> None:
    """Demšar 2006, table 5 (a)."""
    assert critical_difference(k, 14) == pytest.approx(q * np.sqrt(k * (k + 1) / 84), abs=2e-3)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, np.nan]) == pytest.approx(
        [0.03, 0.06, 0.06, np.nan], nan_ok=True
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_none_and_bonferroni(p: list[float]) -> None:
    corrected = holm(p)
    assert (corrected >= np.array(p)).all()
    assert (corrected <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    rejected = []  # Holm's own words: step down until one is not significant
    for step, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] > 0.05 / (len(p) - step):
            break
        rejected.append(place)
    assert set(np.flatnonzero(corrected <= 0.05)) == set(rejected)


def told(*pairs: str) -> pd.DataFrame:
    return pd.DataFrame([{"first": a, "second": b, "p_holm": 0.01} for a, b in pairs])


def test_bars_join_what_is_not_told_apart() -> None:
    names = list("abcd")
    none = pd.DataFrame({"first": [], "second": [], "p_holm": []})
    assert alike(names, none) == [(0, 3)]
    assert alike(names, told("ad")) == [(0, 2), (1, 3)]
    assert alike(names, told("ab", "ac", "ad")) == [(1, 3)]
    assert alike(list("ab"), told("ba")) == []


def columns(many: int) -> dict[str, stats.Joint]:
    """Columns that agree: reg_swap before swap before two sizes that know nothing."""
    found = {}
    for place in range(many):
        table = scores(120, seeds=1 + place % 2)
        shuffled = np.random.default_rng(place).normal(size=len(table))
        table["value"] += 0.3 * shuffled
        found[f"space/{place}"] = stats.joint(table, resamples=60)
    return found


def test_a_board_of_many_columns_is_sure_of_what_is_clear() -> None:
    board = leaderboard(columns(9))
    table = board.ranking.set_index("proxy")
    assert list(table.index[:2]) == ["reg_swap", "swap"]
    assert table.average_rank["reg_swap"] == 1
    assert board.friedman < 0.001
    assert table.better_than["reg_swap"] == 3
    assert table.worse_than["swap"] == 1
    assert table.wins["reg_swap"] == 27
    assert table.losses["reg_swap"] == 0
    assert table.wins.sum() == table.losses.sum()
    assert (table.low <= table.average_rank).all()
    sizes = board.pairs.set_index(["first", "second"]).loc[("params", "flops")]
    assert sizes.p_holm > 0.05
    stability = board.stability.set_index("column")
    assert np.isnan(stability.over_seeds["space/0"]), "one seed"
    assert stability.over_seeds["space/1"] > 0.3
    assert stability.low["space/0"] <= stability.over_architectures["space/0"]


def test_few_columns_prove_nothing_over_columns_but_much_within() -> None:
    """Wilcoxon's smallest p over five columns is 1/16."""
    board = leaderboard(columns(5))
    assert (board.pairs.p_holm > 0.05).all()
    assert board.pairs.better_in.sum() > 10


def test_one_column_is_no_leaderboard() -> None:
    with pytest.raises(HarnessError, match="two columns"):
        leaderboard(columns(1))

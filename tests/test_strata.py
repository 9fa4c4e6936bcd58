"""Correlations among parts of the architectures, biases, and what one operation does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, rankdata, spearmanr

from harness import stats
from harness.core.errors import HarnessError
from harness.stats.mitigation import CONSTANTS, mitigated
from harness.stats.operation_effects import neighbours

PROXIES = ("good", "sized", "broken")


def joined(n=200, seeds=2, resamples=60):
    """Scores that are the accuracy with noise, the size with noise; 'broken' lacks the first 20."""
    parts = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, n])
        size = random.integers(1, 7, n).astype(float)
        truth = size + random.normal(size=n)
        values = {
            "good": truth + random.normal(size=n),
            "sized": size * random.uniform(0.9, 1.1, n),
            "broken": truth.copy(),
        }
        for name, value in values.items():
            status = np.where((np.arange(n) < 20) & (name == "broken"), "undefined", "ok")
            parts.append(
                pd.DataFrame(
                    {
                        "space": "nb201",
                        "task": "digits",
                        "key": [f"{i:04}" for i in range(n)],
                        "proxy": name,
                        "seed": seed,
                        "value": np.where(status == "ok", value, np.nan),
                        "status": status,
                        "truth": truth,
                        "size": size,
                    }
                )
            )
    table = pd.concat(parts, ignore_index=True)
    sizes = [own.drop_duplicates("key").set_index("key") for _, own in table.groupby("seed")]
    return stats.joint(table, resamples=resamples), [own[["size"]] for own in sizes]


def test_rho_among_a_part_is_that_of_the_part_alone():
    all_of_them, sizes = joined()
    parts = stats.equal_parts([own["size"].to_numpy(dtype=int) for own in sizes])
    table = stats.among(all_of_them, parts, mean=True).set_index(["part", "proxy"])
    for part in parts:
        slow = [
            spearmanr(
                *columns.loc[(own["size"] == int(part)).to_numpy(), ["good", "truth"]].T.to_numpy()
            )
            for columns, own in zip(all_of_them.columns, sizes, strict=True)
        ]
        expected = np.mean([one.statistic for one in slow])
        assert table.spearman[part, "good"] == pytest.approx(expected)
    row = table.loc["all strata", "sized"]
    assert row.low < 0 < row.high, "nothing but size is left out"
    assert row.n == 200
    assert table.spearman["all strata", "good"] > 0.4


def test_all_architectures_are_resampled_as_pairs_of_proxies_are():
    all_of_them, _ = joined()
    everyone = [np.arange(200)] * 2
    row = stats.among(all_of_them, {"all": everyone}).set_index("proxy").loc["good"]
    expected = all_of_them.estimate(lambda matrices: matrices[..., 0, -1])
    assert (row.spearman, row.low, row.high) == pytest.approx(expected)


def test_the_mean_over_parts_is_weighted_and_leaves_constants_out():
    all_of_them, _ = joined(seeds=1)
    members = {"a": [np.arange(20, 60)], "dead": [np.arange(20)], "b": [np.arange(60, 70)]}
    table = stats.among(all_of_them, members, mean=True).set_index(["part", "proxy"]).spearman
    assert np.isnan(table["dead", "broken"])
    weighted = (40 * table["a", "broken"] + 10 * table["b", "broken"]) / 50
    assert table["all strata", "broken"] == pytest.approx(weighted)


@given(st.lists(st.integers(0, 8), min_size=10, max_size=120), st.integers(1, 10))
def test_parts_hold_equal_sizes_together_and_enough_of_them(sizes, most):
    for parts in (
        stats.quantile_parts([np.array(sizes, dtype=float)], most),
        stats.equal_parts([np.array(sizes)]),
    ):
        members = [set(np.array(sizes)[own].tolist()) for (own,) in parts.values()]
        assert sum(map(len, members)) == len(set().union(*members)), "a size is in one part"
        assert all(len(own) >= 10 for (own,) in parts.values())
    everyone = np.sort(np.concatenate([own for (own,) in parts.values()]))
    assert everyone.tolist() == list(range(len(sizes))), "equal_parts leaves nobody out"


def test_no_part_is_an_error():
    with pytest.raises(HarnessError, match="holds 10"):
        stats.among(joined()[0], {})


def test_biases_are_scipys_and_leave_undefined_scores_out():
    all_of_them, sizes = joined()
    table = stats.biases(all_of_them, sizes).set_index(["property", "proxy"])
    for proxy in (*PROXIES, "accuracy"):
        pairs = []
        for columns, own in zip(all_of_them.columns, sizes, strict=True):
            x = columns["truth" if proxy == "accuracy" else proxy].to_numpy(dtype=float)
            pairs.append((x[np.isfinite(x)], own["size"].to_numpy()[np.isfinite(x)]))
        row = table.loc["size", proxy]
        assert row.spearman == pytest.approx(
            np.mean([spearmanr(*pair).statistic for pair in pairs])
        )
        assert row.pearson == pytest.approx(np.mean([pearsonr(*pair).statistic for pair in pairs]))
        assert row.spearman_low < row.spearman < row.spearman_high
        assert row.pearson_low < row.pearson < row.pearson_high
    assert table.n_undefined.loc["size"].to_dict() == {
        **dict.fromkeys((*PROXIES, "accuracy"), 0),
        "broken": 40,
    }


def test_a_constant_property_has_no_bias():
    all_of_them, sizes = joined()
    constant = [own.assign(size=3.1) for own in sizes]
    assert stats.biases(all_of_them, constant)[["spearman", "pearson"]].isna().all(axis=None)


def test_dividing_a_size_away():
    """What is nothing but size times noise loses its bias with C = 0, and its ρ with it."""
    all_of_them, sizes = joined()
    table = stats.mitigation(all_of_them, sizes).set_index(["proxy", "strategy"])
    row = table.loc["sized", "least_bias"]
    assert not row.sees_truth
    assert table.sees_truth["sized", "best_correlation"]
    assert row.constant == 0
    assert abs(row.bias_after) < 0.2
    assert row.bias > 0.9
    assert row.high < 0
    assert row.after == pytest.approx(row.spearman + row.gain)


def test_strategies_choose_the_best_of_all_constants():
    all_of_them, sizes = joined(seeds=1)
    columns, size = all_of_them.columns[0], sizes[0]["size"].to_numpy()
    good, truth = columns["good"].to_numpy(), columns["truth"].to_numpy()
    own = spearmanr(truth, size).statistic
    served = [c for c in CONSTANTS if not (size + c == 0).any()]
    biases = {c: spearmanr(good / (size + c), size).statistic for c in served}
    rhos = {c: spearmanr(good / (size + c), truth).statistic for c in served}
    table = stats.mitigation(all_of_them, sizes).set_index(["proxy", "strategy"])
    of_good = table.loc["good"]
    assert of_good.bias_after["least_bias"] == pytest.approx(min(biases.values(), key=abs))
    assert abs(of_good.bias_after["bias_of_accuracy"] - own) == pytest.approx(
        min(abs(bias - own) for bias in biases.values())
    )
    assert of_good.after["best_correlation"] == pytest.approx(max(rhos.values()))


def test_undefined_scores_stay_undefined_and_a_zero_serves_nobody():
    scores = np.array([[2.0], [-np.inf], [3.0]])
    values = np.array([[1.0], [2.0], [5.0]])
    freed = mitigated(scores, values, np.array([-2.0, -1.0, 1.0]))
    assert freed[:, 0].tolist() == [-2, -np.inf, 1]
    assert np.isnan(freed[:, 1]).all()
    assert freed[:, 2].tolist() == [1, -np.inf, 0.5]


def test_intervals_shrink_with_the_root_of_n():
    all_of_them, _ = joined(n=1000, seeds=1)
    table = stats.convergence(all_of_them).set_index(["proxy", "size"])
    halves = table.half["good"]
    assert halves[50] / halves[200] == pytest.approx(2, rel=0.25)
    assert table.needed["good", 1000] == pytest.approx(1000 * (halves[1000] / 0.05) ** 2, abs=1)
    summary = all_of_them.estimate(lambda matrices: matrices[..., 0, -1])
    assert halves[1000] == pytest.approx((summary[2] - summary[1]) / 2, rel=0.3)
    with pytest.raises(HarnessError, match="5 architectures"):
        stats.convergence(joined(n=5)[0])


def test_neighbours_by_hand():
    cells = [("ab", "xx"), ("ab", "xy"), ("ab", "zy"), ("ba", "xy")]
    found = neighbours([(tuple(places), tuple(operations)) for places, operations in cells])
    pairs = {swap: np.transpose(own).tolist() for swap, own in found.items()}
    assert pairs == {
        **{("b", "x", "y"): [[0, 1]], ("any", "x", "y"): [[0, 1]]},
        **{("a", "x", "z"): [[1, 2]], ("any", "x", "z"): [[1, 2]]},
    }


def test_effects_are_mean_changes_of_ranks():
    all_of_them, _ = joined(n=60)
    random = np.random.default_rng(1)
    made_of = [
        [((0, 1), tuple(random.choice(list("pqr"), 2))) for _ in columns.index]
        for columns in all_of_them.columns
    ]
    table = stats.operation_effects(all_of_them, made_of)
    assert (table.low <= table.change).all()
    for row in table[table.place != "any"].itertuples():
        changes = []
        for columns, own in zip(all_of_them.columns, made_of, strict=True):
            if row.proxy == "accuracy itself":
                ranks = columns["truth"].to_numpy()
            else:
                name = "truth" if row.proxy == "accuracy" else row.proxy
                ranks = (rankdata(columns[name]) - 1) / (len(columns) - 1)
            at = int(row.place)
            changes += [
                ranks[j] - ranks[i]
                for i, (_, one) in enumerate(own)
                for j, (_, two) in enumerate(own)
                if (one[at], two[at]) == (row[2], row.to) and one[1 - at] == two[1 - at]
            ]
        assert len(changes) == row.pairs
        assert row.change == pytest.approx(np.mean(changes))
    with pytest.raises(HarnessError, match="Fewer than 10 pairs"):
        stats.operation_effects(all_of_them, [[((0,), "p")] * 60] * 2)

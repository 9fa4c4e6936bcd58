"""Rank correlations and their intervals, against scipy, by hand and by simulation."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from harness import stats
from harness.core.errors import DataError, HarnessError
from harness.stats import bootstrap

INF = np.inf


def table(values, truth, status=None, proxy="swap", seed=0):
    """A score table of one proxy and one seed."""
    n = len(values)
    return pd.DataFrame(
        {
            "space": "nb201",
            "task": "cifar100",
            "key": [f"architecture-{i:05d}" for i in range(n)],
            "proxy": proxy,
            "seed": seed,
            "value": np.asarray(values, dtype=float),
            "status": ["ok"] * n if status is None else status,
            "seconds": 0.1,
            "truth": np.asarray(truth, dtype=float),
        }
    )


def noisy(proxy, seed, n=60, noise=1.0):
    random = np.random.default_rng([seed, len(proxy)])
    truth = random.normal(size=n)
    return table(truth + noise * random.normal(size=n), truth, proxy=proxy, seed=seed)


# Small integers make ties; as floats they stay exact under the maps below.
pairs = st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=2, max_size=40).filter(
    lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True))
)


@pytest.mark.parametrize("n", [2, 3, 10, 500])
def test_correlations_with_ties_are_scipys(n):
    random = np.random.default_rng(n)
    x, y = random.permutation(n) // 2 + np.arange(n) % 2, random.permutation(n)
    ranks = scipy_stats.rankdata(x), scipy_stats.rankdata(y)
    assert stats.spearman(x, y) == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-12)
    assert stats.kendall(x, y) == pytest.approx(scipy_stats.kendalltau(x, y)[0], abs=1e-12)


@pytest.mark.parametrize("measure", [stats.spearman, stats.kendall])
@given(rows=pairs)
def test_only_the_order_matters(measure, rows):
    x, y = np.array(rows, dtype=float).T
    value = measure(x, y)
    assert -1 - 1e-12 <= value <= 1 + 1e-12
    assert measure(x**3, np.exp(y)) == pytest.approx(value, abs=1e-12)
    assert measure(-x, y) == pytest.approx(-value, abs=1e-12)
    assert measure(y, x) == pytest.approx(value, abs=1e-12)
    assert measure(x, x) == pytest.approx(1)


@given(rows=pairs, random=st.randoms(use_true_random=False))
def test_row_order_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    for measure in (stats.spearman, stats.kendall):
        expected = measure(*np.array(rows).T)
        assert measure(*np.array(shuffled).T) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("measure", [stats.spearman, stats.kendall])
@pytest.mark.parametrize(
    ("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [7, 7, 7]), ([1], [2]), ([], [])]
)
def test_constant_side_gives_nan_without_a_warning(measure, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(measure(x, y))


def test_resolve_undefined_by_hand():
    values = [3.0, np.nan, -1e9, np.nan, np.nan]
    status = ["ok", "undefined", "ok", "oom", "error"]
    np.testing.assert_array_equal(
        stats.resolve_undefined(values, status, "worst"), [3.0, -INF, -1e9, np.nan, np.nan]
    )
    np.testing.assert_array_equal(
        stats.resolve_undefined(values, status, "drop"), [3.0, np.nan, -1e9, np.nan, np.nan]
    )


def test_resolve_undefined_refuses_what_it_does_not_know():
    with pytest.raises(HarnessError, match="Did you mean 'worst'"):
        stats.resolve_undefined([1.0], ["ok"], "worse")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="status 'fine'"):
        stats.resolve_undefined([1.0], ["fine"])
    for value in (np.nan, INF, -INF):
        with pytest.raises(DataError, match="no finite value"):
            stats.resolve_undefined([1.0, value], ["ok", "ok"])


def test_correlations_by_hand():
    """Ranks 5 1½ 4 3 1½ against 5 1 4 3 2: d = 0, ½, 0, 0, −½; failed rows do not count."""
    scores = table(
        [9, np.nan, 7, -5e9, np.nan, np.nan, np.nan],
        [90, 10, 80, 70, 20, 95, 5],
        ["ok", "undefined", "ok", "ok", "undefined", "error", "oom"],
    )
    worst = stats.correlations(scores, "worst").iloc[0]
    assert (worst["n"], worst["n_undefined"], worst["n_failed"]) == (5, 2, 2)
    # Σ(x−3)(y−3) = 9½, Σ(x−3)² = 9½, Σ(y−3)² = 10; 9 of 10 pairs agree, 1 is tied.
    assert worst["spearman"] == pytest.approx(9.5 / np.sqrt(9.5 * 10))
    assert worst["kendall"] == pytest.approx(9 / np.sqrt(9 * 10))

    drop = stats.correlations(scores, "drop").iloc[0]
    assert (drop["n"], drop["n_undefined"], drop["n_failed"]) == (3, 2, 2)
    assert drop["spearman"] == pytest.approx(1)


def test_tables_have_exactly_the_promised_columns():
    scores = pd.concat([noisy("swap", seed) for seed in range(2)], ignore_index=True)
    assert ",".join(stats.correlations(scores)) == (
        "space,task,proxy,seed,n,n_undefined,spearman,kendall,n_failed"
    )
    assert ",".join(stats.summary(scores, resamples=10)) == (
        "space,task,proxy,seeds,n,spearman_mean,spearman_std,spearman_low,spearman_high,"
        "kendall_mean,n_undefined,n_failed,at_ceiling"
    )


def test_summary_averages_over_seeds_and_sorts():
    parts = [
        noisy(p, s, noise=len(p)) for p in ("reg_swap", "snip", "nwot_long_name") for s in (0, 1, 2)
    ]
    constant = table(np.ones(60), np.arange(60), proxy="constant")
    scores = pd.concat([constant, *parts], ignore_index=True)
    scores.loc[scores.index[60:70], ["value", "status"]] = [np.nan, "undefined"]
    rows = stats.correlations(scores)
    result = stats.summary(scores, resamples=50)
    assert result["spearman_mean"].dropna().is_monotonic_decreasing
    assert result["proxy"].iloc[0] == "snip"  # the least noise
    assert result["proxy"].iloc[-1] == "constant"
    for row in result.itertuples():
        own = rows[rows["proxy"] == row.proxy]
        assert row.seeds == len(own)
        assert row.n == 60
        assert row.n_undefined == own["n_undefined"].sum()
        assert row.kendall_mean == pytest.approx(np.mean(own["kendall"]), nan_ok=True)
        assert row.spearman_mean == pytest.approx(np.mean(own["spearman"]), nan_ok=True)
        if row.seeds > 1:
            assert row.spearman_std == pytest.approx(np.std(own["spearman"], ddof=1))
            assert row.spearman_low < row.spearman_mean < row.spearman_high
    last = result.iloc[-1]
    assert last[["spearman_std", "spearman_low", "spearman_high"]].isna().all()


def test_scores_at_their_ceiling_are_counted():
    """Of the defined scores of all seeds, proxy by proxy; NaN where nobody knows a ceiling."""
    values = [4.0, 4.0, 3.0, 2.0, np.nan]
    status = ["ok"] * 4 + ["undefined"]
    parts = [
        table(values, range(5), status),
        table([1, 2, 3, 3.5, 4], range(5), seed=1),
        table(values, range(5), status, proxy="nwot"),
    ]
    summary = stats.summary(pd.concat(parts), resamples=5, ceilings={"swap": 4.0})
    shares = summary.set_index("proxy")["at_ceiling"]
    assert shares["swap"] == pytest.approx(3 / 9)
    assert np.isnan(shares["nwot"])


def test_one_undefined_seed_makes_the_mean_undefined():
    scores = pd.concat([noisy("swap", 0), table(np.ones(60), np.arange(60), seed=1)])
    row = stats.summary(scores, resamples=20).iloc[0]
    assert row[["spearman_mean", "spearman_std", "spearman_low", "kendall_mean"]].isna().all()


def test_dropping_reports_the_smallest_seed():
    second = noisy("swap", 1)
    second.loc[:9, ["value", "status"]] = [np.nan, "undefined"]
    row = stats.summary(pd.concat([noisy("swap", 0), second]), "drop", resamples=10).iloc[0]
    assert (row["n"], row["n_undefined"]) == (50, 10)


def test_correlations_at_hand_change_nothing():
    scores = pd.concat([noisy(p, s) for p in ("swap", "snip") for s in range(2)], ignore_index=True)
    by_seed = stats.correlations(scores)
    given_them = stats.summary(scores, resamples=20, by_seed=by_seed)
    pd.testing.assert_frame_equal(given_them, stats.summary(scores, resamples=20))


def test_interval_depends_on_the_seed_alone():
    scores = pd.concat([noisy(p, s) for p in ("swap", "snip") for s in range(3)], ignore_index=True)
    full = stats.summary(scores, resamples=200).set_index("proxy")
    shuffled = scores.sample(frac=1, random_state=3)
    again = stats.summary(shuffled, resamples=200).set_index("proxy")
    alone = stats.summary(scores[scores["proxy"] == "swap"], resamples=200).set_index("proxy")
    ends = ["spearman_low", "spearman_high"]
    pd.testing.assert_frame_equal(full[ends].sort_index(), again[ends].sort_index(), rtol=1e-12)
    pd.testing.assert_frame_equal(full.loc[["swap"], ends], alone[ends], rtol=1e-12)
    other = stats.summary(scores, resamples=200, seed=1).set_index("proxy")
    assert (full[ends] != other[ends]).any(axis=None)


@given(
    values=st.lists(st.sampled_from([-INF, -2.0, 0.0, 1.5, 3.0, 1e9]), min_size=1, max_size=25),
    seed=st.integers(0, 1000),
)
def test_doubled_midranks_are_the_ranks_of_the_repeated_sample(values, seed):
    counts = np.random.default_rng(seed).integers(0, 4, size=(6, len(values)), dtype=np.int32)
    doubled, ties = bootstrap.Ranker(values).doubled_midranks(counts)
    for row, occurring, repeated in zip(doubled, ties, counts, strict=True):
        sample = np.repeat(values, repeated)
        expected = 2 * scipy_stats.rankdata(sample) - 1
        np.testing.assert_array_equal(np.repeat(row, repeated), expected)
        expected = np.unique(sample, return_counts=True)[1]
        assert sorted(t for t in occurring if t) == sorted(expected)


@pytest.mark.parametrize(("pool", "sizes"), [(5, (5,)), (9, (4, 7, 1)), (700, (700, 500))])
def test_mean_spearman_is_scipys_on_each_resample(pool, sizes):
    """The same draws of the pool, each seed's share of them ranked by scipy; with repeats."""
    data = np.random.default_rng(pool)
    seeds = []
    for i, n in enumerate(sizes):
        members = data.permutation(pool)[:n]
        if i:
            members[: n // 3] = members[-1]  # drawn with replacement
        x, y = data.normal(size=(n, 2)), data.normal(size=n).round(1)
        x[:, 0] = data.integers(0, max(1, n // 2), n)
        x[: n // 5, 0] = -INF
        seeds.append((members, x, y))
    rankings = [
        bootstrap.SeedRanking(members, [bootstrap.Ranker(c) for c in x.T], bootstrap.Ranker(y))
        for members, x, y in seeds
    ]
    fast = stats.mean_spearman(rankings, pool, 300, np.random.default_rng(7))
    assert fast.shape == (300, 2)
    for row, drawn in zip(
        fast, np.random.default_rng(7).integers(pool, size=(300, pool)), strict=True
    ):
        slow = []
        for members, x, y in seeds:
            rows = [i for a in drawn for i in np.flatnonzero(members == a)]
            slow.append([stats.spearman(column[rows], y[rows]) for column in x.T])
        np.testing.assert_allclose(row, np.mean(slow, axis=0), atol=1e-12)


def test_seeds_of_the_same_architectures_count_once():
    """Five seeds that score one finite pool alike say no more about other pools than one does."""
    alone = stats.summary(noisy("swap", 0)).iloc[0]
    shared = pd.concat([noisy("swap", 0).assign(seed=seed) for seed in range(5)])
    together = stats.summary(shared).iloc[0]
    ends = ["spearman_low", "spearman_high"]
    assert together[ends].tolist() == pytest.approx(alone[ends].tolist(), abs=1e-12)
    apart = shared.assign(key=shared.key + shared.seed.astype(str))
    low, high = stats.summary(apart).iloc[0][ends]
    assert high - low < 0.6 * (alone.spearman_high - alone.spearman_low)


def test_an_architecture_drawn_again_stays_one():
    once = noisy("swap", 0)
    ends = ["spearman_low", "spearman_high"]
    twice = stats.summary(pd.concat([once, once])).iloc[0]
    assert twice[ends].tolist() == pytest.approx(stats.summary(once).iloc[0][ends].tolist())


@pytest.mark.parametrize("policy", ["worst", "drop"])
def test_proxies_that_rank_other_architectures_do_not_disturb_each_other(policy):
    """Equal accuracies share their resamples; each proxy's interval is the one it has alone."""
    parts = [noisy(proxy, seed) for proxy in ("swap", "snip", "nwot") for seed in range(2)]
    parts[2].loc[[3, 7], ["value", "status"]] = [np.nan, "oom"]
    parts[4].loc[[3, 8], ["value", "status"]] = [np.nan, "undefined"]
    scores = pd.concat(parts, ignore_index=True)
    together = stats.summary(scores, policy, resamples=100).set_index("proxy").sort_index()
    alone = [
        stats.summary(scores[scores["proxy"] == proxy], policy, resamples=100)
        for proxy in together.index
    ]
    pd.testing.assert_frame_equal(
        together.reset_index()[alone[0].columns], pd.concat(alone, ignore_index=True)
    )
    assert together["n"].to_dict() == {
        "swap": 60,
        "snip": 58,
        "nwot": 58 if policy == "drop" else 60,
    }


def test_interval_is_scipys_bootstrap_up_to_the_draws():
    scores = noisy("swap", 0, n=200)
    x, y = scores["value"].to_numpy(), scores["truth"].to_numpy()
    reference = scipy_stats.bootstrap(
        (x, y), stats.spearman, paired=True, vectorized=False, method="percentile",
        n_resamples=3000, random_state=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    row = stats.summary(scores, resamples=3000).iloc[0]
    assert row["spearman_low"] == pytest.approx(reference.low, abs=0.005)
    assert row["spearman_high"] == pytest.approx(reference.high, abs=0.005)


def test_interval_covers_the_true_correlation():
    """Bivariate normal with correlation r: Spearman's ρ is 6/π·asin(r/2)."""
    r, trials, seeds = 0.6, 150, 2
    truth, covered = 6 / np.pi * np.arcsin(r / 2), 0
    for trial in range(trials):
        random = np.random.default_rng(trial)
        parts = []
        for seed in range(seeds):
            a, b = random.normal(size=(2, 100))
            parts.append(table(r * a + np.sqrt(1 - r**2) * b, a, seed=seed))
        row = stats.summary(pd.concat(parts), resamples=200, seed=trial).iloc[0]
        covered += row["spearman_low"] <= truth <= row["spearman_high"]
    # Binomial(150, 0.95) stays within this range; percentile intervals are a little short.
    assert 130 <= covered <= 149


def test_interval_narrows_with_more_seeds():
    def width(seeds):
        row = stats.summary(pd.concat([noisy("swap", s) for s in range(seeds)])).iloc[0]
        return row["spearman_high"] - row["spearman_low"]

    assert width(8) < 0.6 * width(1)


def test_faulty_tables_are_refused():
    scores = noisy("swap", 0)
    with pytest.raises(DataError, match="no column 'truth'"):
        stats.correlations(scores.drop(columns="truth"))
    scores.loc[3, "truth"] = np.nan
    with pytest.raises(DataError, match="architecture-00003"):
        stats.correlations(scores)
    for arguments in ({"resamples": 0}, {"confidence": 1.0}, {"confidence": 95}):
        with pytest.raises(HarnessError, match="no interval"):
            stats.summary(noisy("swap", 0), **arguments)


def test_categories_and_several_tasks_stay_apart():
    other = noisy("swap", 0).assign(task="cifar10")
    other["value"] *= -1
    scores = pd.concat([noisy("swap", 0), other, noisy("snip", 0)]).astype(
        {"task": "category", "proxy": "category", "status": "category"}
    )
    rows = stats.correlations(scores).set_index(["task", "proxy"])["spearman"]
    assert len(rows) == 3
    assert rows["cifar10", "swap"] == pytest.approx(-rows["cifar100", "swap"])
    assert len(stats.summary(scores, resamples=10)) == 3


@pytest.mark.parametrize("result", ["main/nb201/cifar10", "all_proxies/nb201/cifar10"])
def test_committed_summaries_come_from_the_committed_scores(result):
    folder = Path(__file__).parents[1] / "results" / result
    made = stats.summary(pd.read_parquet(folder / "scores.parquet"))
    kept = pd.read_csv(folder / "summary.csv")
    pd.testing.assert_frame_equal(made[kept.columns], kept, check_dtype=False, rtol=0, atol=1e-12)


def test_statistics_start_without_torch_and_scipy():
    code = "import sys, harness.stats; sys.exit(len({'torch', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Noise of training and of scores, against the model's own covariances, simulation and scipy."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from stored import store
from test_analysis import scores

from harness.analyses.stored_repeats import settings_of
from harness.results.noise_ceiling import noise_ceiling
from harness.stats import attenuation
from harness.stats.self_agreement import BATCH, BOTH, averaged, self_agreements
from harness.truth.repeats import repeats

RELIABLE = st.floats(0.05, 1)


@given(RELIABLE, st.integers(2, 9), st.booleans())
def test_reliability_undoes_the_model(single: float, runs: int, within: bool) -> None:
    """The correlation of a run with a mean of runs, from the covariance matrix of all runs."""
    noise = (1 - single) / single
    covariance = np.ones((runs + 1, runs + 1)) + noise * np.eye(runs + 1)
    weights = np.zeros((2, runs + 1))
    weights[0, 0] = 1
    weights[1, slice(0, runs) if within else slice(1, None)] = 1 / runs
    (a, c), (_, b) = weights @ covariance @ weights.T
    found = attenuation.reliability(c / np.sqrt(a * b), runs, within)
    assert found == pytest.approx(single, abs=1e-6)


def test_a_mean_of_repeats_by_hand() -> None:
    """Brown's textbook case: two halves that correlate with 0.5 make a test of 0.67."""
    assert attenuation.of_mean(0.5, 2) == pytest.approx(2 / 3)
    assert attenuation.of_mean(0.5, np.inf) == 1
    assert attenuation.ceiling(0.81, 1) == pytest.approx(0.9)
    assert np.isnan(attenuation.of_mean(-0.1, 2))


@pytest.mark.parametrize("agreement", [0.3, -0.5, 1.2])
def test_what_the_model_cannot_give_is_undefined(agreement: float) -> None:
    """A run among two averaged correlates with their mean by 0.71 at least."""
    assert np.isnan(attenuation.reliability(agreement, 2, True))


def test_correction_finds_what_noise_hid() -> None:
    random = np.random.default_rng(0)
    true, n = 0.6, 20_000
    x, y = random.multivariate_normal([0, 0], [[1, true], [true, 1]], size=n).T
    first, second = (x + random.normal(size=n) for _ in range(2))
    measured = y + 0.5 * random.normal(size=n)
    rho = spearmanr(first, measured).statistic
    again = spearmanr(first, second).statistic
    found = attenuation.corrected(rho, again, spearmanr(y, measured).statistic)
    assert rho < 0.4
    assert found == pytest.approx(spearmanr(x, y).statistic, abs=0.03)


@pytest.mark.parametrize("task", ["cifar100", "imagenet16_120"])
def test_one_of_three_runs_is_told_from_the_other_two(task: str) -> None:
    """The mean gives the other two runs away; compared with them the reliability is the same."""
    known = repeats("nb201", task)
    assert known is not None
    assert len(known.one) > 5000
    rest = (3 * known.mean - known.one) / 2
    apart = attenuation.reliability(spearmanr(known.one, rest).statistic, 2, within=False)
    whole = spearmanr(known.one, known.mean).statistic
    together = attenuation.reliability(whole, known.runs, known.within)
    assert together == pytest.approx(apart, abs=0.002)
    wrong = attenuation.reliability(whole, known.runs, within=False)
    assert abs(wrong - apart) > 0.004, "a run that is averaged is no independent run"


def test_ceilings() -> None:
    """NAS-Bench-101: one run against the mean of three gives ρ = 0.986."""
    known = repeats("nb101", "cifar10")
    assert known is not None
    assert spearmanr(known.one, known.mean).statistic == pytest.approx(0.986, abs=5e-4)
    ceilings = [noise_ceiling("nb101", "cifar10", v) for v in ("validation_108", "test_mean")]
    assert ceilings == sorted(ceilings), "a mean of three is less noisy than one"
    assert ceilings[0] > 0.97
    assert noise_ceiling("nb201", "digits", "measured") < noise_ceiling(
        "nb201", "cifar100", "suite_zero"
    )
    assert np.isnan(noise_ceiling("nb301", "cifar10", "suite_zero"))
    assert np.isnan(noise_ceiling("nb101", "cifar10", "validation_4"))


def drawn(noise: float, *, seeds: int = 3, n: int = 80, images: str = "a") -> pd.DataFrame:
    """One proxy on architectures of which every seed draws another two thirds."""
    truth = np.random.default_rng(0).normal(size=n)
    parts = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, len(images), ord(images[0])])
        taken = random.permutation(n)[: 2 * n // 3]
        value = truth[taken] + noise * random.normal(size=len(taken))
        part = {"key": taken.astype(str), "value": value, "truth": truth[taken], "seed": seed}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts).assign(proxy="p", settings="s", images=images)


def test_agreement_is_the_mean_over_pairs_of_runs() -> None:
    table = drawn(1.0)
    (found,) = self_agreements(table, resamples=50)
    slow = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        both = table[table.seed == a].merge(table[table.seed == b], on="key")
        slow.append(spearmanr(both.value_x, both.value_y).statistic)
    assert (found.drawn, found.runs) == (BOTH, 3)
    assert found.value == pytest.approx(np.mean(slow))
    row = found.row()
    assert row["low"] < row["agreement"] < row["high"]
    assert row["gain"] == pytest.approx(row["two"] - row["one"])
    assert row["gain"] > 0
    predicted = averaged(row["one"], row["agreement"])
    assert predicted["repeats_1"] == pytest.approx(row["one"])
    assert predicted["repeats_2"] == pytest.approx(row["two"], abs=0.03)
    assert predicted["repeats_2"] < predicted["repeats_10"] < predicted["repeats_all"]


def test_scores_without_noise_agree_wholly() -> None:
    (found,) = self_agreements(drawn(0.0), resamples=20)
    assert found.value == pytest.approx(1)
    assert found.row()["gain"] == pytest.approx(0)


def test_batch_is_told_from_weights_and_batch() -> None:
    one, other = drawn(1.0, seeds=1), drawn(1.0, seeds=1, images="b")
    (found,) = self_agreements(pd.concat([one, other]), resamples=20)
    assert found.drawn == BATCH
    assert self_agreements(one, resamples=20) == [], "one run repeats nothing"
    assert self_agreements(pd.concat([one, one]), resamples=20) == [], "the same score, found twice"
    changed = pd.concat([one, other.assign(settings="other")])
    assert self_agreements(changed, resamples=20) == [], "other settings are another proxy"


def test_settings_leave_out_images_and_nothing_else() -> None:
    def record(**changed: object) -> dict:
        inputs = {"source": "cifar10_train", "sha256": "1"} | changed.pop("inputs", {})
        return {
            "conditions": {"proxies": {"swap": {"images": 8}}, "inputs": inputs, "batch_size": 64}
            | changed
        }

    same = settings_of(record(), "swap")
    assert settings_of(record(inputs={"sha256": "2"}), "swap") == same
    assert settings_of(record(inputs={"source": "gaussian"}), "swap") != same
    assert settings_of(record(batch_size=32), "swap") != same
    assert settings_of(record(proxies={"swap": {"images": 16}}), "swap") != same


def test_made_up_scores_have_no_repeats() -> None:
    """The seeds of ``scores`` are other architectures under the same names: noise alone."""
    table = scores().assign(settings="", images="")
    for one in self_agreements(table, resamples=20):
        assert abs(one.value) < 0.35


def test_noise_of_stored_studies(tmp_path: Path) -> None:
    """Two studies of the same seed with other images: the batch was drawn anew."""
    table = scores(seeds=1).assign(task="cifar100")
    again = table.copy()
    noisy = again.proxy == "swap"
    again.loc[noisy, "value"] += np.random.default_rng(5).normal(size=int(noisy.sum()))
    kept = {"truth": {"variant": "suite_zero"}}
    store(tmp_path, table, **kept)
    store(tmp_path, again, study="other", inputs={"sha256": "1" * 64}, **kept)
    assert call(tmp_path, "job=analysis", "analysis=noise", "results=.") == 0
    folder = tmp_path / "analysis"
    twice = pd.read_csv(folder / "noise_repeats.csv").set_index("proxy")
    assert set(twice.drawn) == {BATCH}
    assert set(twice.studies) == {"main, other"}
    assert twice.agreement["reg_swap"] == pytest.approx(1)
    assert 0.4 < twice.agreement["swap"] < 0.95
    noise = pd.read_csv(folder / "noise.csv").set_index("proxy")
    ceiling = noise_ceiling("nb201", "cifar100", "suite_zero")
    assert noise.ceiling.tolist() == pytest.approx([ceiling] * len(noise), abs=1e-3)
    assert noise.corrected["swap"] > noise.spearman["swap"] + 0.05
    assert noise.corrected["reg_swap"] == pytest.approx(
        noise.spearman["reg_swap"] / ceiling, abs=2e-3
    )
    record = json.loads((folder / "run.json").read_text())["artefacts"]["noise"]
    assert list(record["results"]) == ["main/nb201/cifar100", "other/nb201/cifar100"]
    assert "swap (0." in record["finding"]

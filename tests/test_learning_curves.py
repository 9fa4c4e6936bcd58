"""Models that learn from trained architectures: what they may see, and what they must find."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from scipy.stats import spearmanr
from stored import store

from harness import stats, truth
from harness.analyses.fitted_models import fit_models
from harness.analyses.learned_rankings import beside_printed
from harness.config import Config
from harness.core.errors import HarnessError
from harness.spaces.space import spaces
from harness.stats.learning_curves import MODELS

RANDOM = np.random.default_rng(0)
N = 200
ACCURACY = RANDOM.normal(size=N)


def curves(features, models, splits=3, **settings):
    settings = {"sizes": (10, 60), "resamples": 50} | settings
    return stats.learning_curves(features, ACCURACY, splits, models=models, **settings)


def echo(known, accuracy, others, seed):
    """Knows nothing but the first feature of what it ranks."""
    return others[:, 0]


def test_what_is_ranked_was_never_learned_from_and_is_the_same_for_all() -> None:
    seen = []

    def spy(known, accuracy, others, seed):
        seen.append((seed, tuple(known[:, 0]), tuple(others[:, 0])))
        assert len(accuracy) == len(known)
        return others[:, 1]

    places = np.column_stack([np.arange(N), RANDOM.normal(size=N)])
    curves({"a": places, "b": places[:, :2]}, {"spy": spy})
    assert len(seen) == 3 * 2 * 2
    for split in range(3):
        of = [one for one in seen if one[0] == split]
        assert len({others for *_, others in of}) == 1
        assert len(of[0][2]) == N - 60
        largest = max((known for _, known, _ in of), key=len)
        assert not {*largest} & {*of[0][2]}
        assert all(known == largest[: len(known)] for _, known, _ in of), "more add up"
    assert len({one[2] for one in seen}) == 3, "splits differ"


def test_mean_and_deviation_are_those_of_the_splits() -> None:
    feature = (ACCURACY + RANDOM.normal(size=N))[:, None]
    table = curves({"a": feature}, {"echo": echo}, splits=4, sizes=(60,))
    orders = [np.random.default_rng([0, split]).permutation(N)[60:] for split in range(4)]
    slow = [spearmanr(feature[order, 0], ACCURACY[order]).statistic for order in orders]
    row = table.iloc[0]
    assert row.spearman == pytest.approx(np.mean(slow))
    assert row["std"] == pytest.approx(np.std(slow, ddof=1))
    assert row.low < row.spearman < row.high
    assert (row.tested, row.splits, row.n) == (140, 4, N)


def test_interval_is_wider_than_that_of_independent_splits() -> None:
    """The splits rank nearly the same architectures; more of them say little more."""
    feature = (ACCURACY + RANDOM.normal(size=N))[:, None]
    few, many = (
        curves({"a": feature}, {"echo": echo}, splits=s, sizes=(10,), resamples=300).iloc[0]
        for s in (2, 20)
    )
    assert many.high - many.low > 0.6 * (few.high - few.low)


def test_models_find_what_is_there_and_nothing_else() -> None:
    informative = np.column_stack([ACCURACY + 0.3 * RANDOM.normal(size=N), np.ones(N)])
    noise = RANDOM.normal(size=(N, 3))
    holes = np.where(RANDOM.random(informative.shape) < 0.1, np.nan, informative)
    features = {"informative": informative, "noise": noise, "holes": holes}
    table = curves(features, models=stats.learning_curves.__kwdefaults__["models"])
    at = table[table.trained == 60].set_index(["features", "model"]).spearman
    for model in ("boosting", "forest"):
        assert at["informative", model] > 0.85
        assert at["holes", model] > 0.6
        assert abs(at["noise", model]) < 0.35
    assert set(table.trained) == {10, 60}


def test_xgboost_finds_what_is_there() -> None:
    pytest.importorskip("xgboost")
    informative = np.column_stack([ACCURACY + 0.3 * RANDOM.normal(size=N), np.ones(N)])
    holes = np.where(RANDOM.random(informative.shape) < 0.1, np.nan, informative)
    table = curves({"a": informative, "holes": holes}, {"xgboost": MODELS["xgboost"]}, sizes=(60,))
    found = table.set_index("features").spearman
    assert found["a"] > 0.85
    assert found["holes"] > 0.6


def test_xgboost_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(HarnessError, match=r"pip install 'zero-cost-harness\[xgboost\]'"):
        MODELS["xgboost"](np.ones((3, 1)), np.arange(3.0), np.ones((2, 1)), 0)


def test_a_model_that_does_not_exist() -> None:
    with pytest.raises(HarnessError, match="Did you mean 'boosting'"):
        fit_models(Config(), "figure4", 1, ["bosting"])


def test_copies_and_constants_among_features_change_nothing() -> None:
    feature = (ACCURACY + RANDOM.normal(size=N))[:, None]
    padded = np.column_stack([np.ones(N), feature, feature])
    models = stats.learning_curves.__kwdefaults__["models"]
    table = curves({"a": feature, "b": padded}, models, splits=1, sizes=(30,))
    rows = table.set_index(["features", "model"]).spearman
    assert rows["a", "forest"] == rows["b", "forest"]


def test_nothing_to_learn_from_ranks_nothing() -> None:
    models = stats.learning_curves.__kwdefaults__["models"]
    table = curves({"a": np.ones((N, 2))}, models, splits=2, sizes=(10,))
    assert table.spearman.isna().all()
    assert table.low.isna().all()


def test_printed_numbers_stand_beside_ours() -> None:
    rows = [
        {
            "column": "nb201/cifar100",
            "architectures": among,
            "features": kind,
            "model": model,
            "trained": trained,
        }
        for among, kind in (
            ("scored", "encoding"),
            ("scored", "graph"),
            ("scored", "proxies"),
            ("scored", "graph + proxies"),
            ("no loose end", "graph"),
            ("no loose end", "encoding"),
        )
        for model in ("boosting", "forest")
        for trained in (30, 100, 300)
    ]
    table = pd.DataFrame(rows).assign(spearman=0.5, std=0.1, low=0.4, high=0.6, splits=2, n=1000)
    every = beside_printed(table)
    assert set(every.model) == {"boosting", "forest"}, "all of ours beside one of theirs"
    printed = every[every.model == "forest"].set_index("features")
    assert printed.printed["encoding"] == 0.640
    assert printed.trained["encoding"] == 100 == printed.printed_trained["encoding"]
    assert printed.printed["graph"] == 0.948
    assert printed.trained["graph"] == 300, "the most, where theirs is not given"
    assert printed.architectures["graph"] == "no loose end", "those of the print"
    assert printed.architectures["graph + proxies"] == "scored", "where there are no others"
    assert set(printed.index) == {"encoding", "proxies", "graph", "graph + proxies"}
    assert beside_printed(table.assign(column="nb101/cifar10")).empty


def test_too_few_architectures() -> None:
    with pytest.raises(HarnessError, match="40 architectures are too few"):
        stats.learning_curves({"a": np.ones((40, 1))}, np.arange(40.0), 1)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted")
    keys = spaces.get("nb201").sample(80, seed=0)
    accuracy = [key.count("conv_3x3") + i / 100 for i, key in enumerate(keys)]
    rows = {"space": "nb201", "task": "digits", "key": keys, "seed": 0, "truth": accuracy}
    parts = [
        pd.DataFrame({**rows, "proxy": name, "value": value, "status": "ok", "message": ""})
        for name, value in (("good", np.exp(accuracy) * 1e300), ("bad", RANDOM.random(80)))
    ]
    parts[0].loc[3, ["value", "status"]] = [np.nan, "undefined"]
    store(folder, pd.concat(parts, ignore_index=True), truth={"variant": "measured"})
    assert call(folder, "job=predictors", "splits=2", "results=.") == 0
    return folder


def test_job_leaves_curves_and_keeps_them_while_scores_are_the_same(results: Path) -> None:
    folder = results / "predictors/nb201/digits"
    table = pd.read_csv(folder / "learning_curves.csv")
    assert set(table.features) == {
        "encoding", "graph", "proxies", "encoding + proxies", "graph + proxies",
    }  # fmt: skip
    scored, tight = (table[table.architectures == a] for a in ("scored", "no loose end"))
    assert set(scored.n) == {80}
    assert set(tight.features) == {"encoding", "graph"}, "what needs no score"
    known = truth.load("nb201", "digits")
    whole = [not any(cell.loose for cell in spaces.get("nb201").cells(key)) for key in known["key"]]
    assert set(tight.n) == {sum(whole)}
    record = json.loads((folder / "run.json").read_text())
    assert list(record["results"]) == ["main/nb201/digits"]
    before = (folder / "run.json").stat().st_mtime_ns
    assert call(results, "job=predictors", "splits=2", "results=.") == 0
    assert (folder / "run.json").stat().st_mtime_ns == before
    assert call(results, "job=predictors", "splits=0", "results=.") == 1


def test_analysis_draws_what_the_job_left(results: Path) -> None:
    assert call(results, "job=analysis", "analysis=predictors", "results=.") == 0
    said = json.loads((results / "analysis/run.json").read_text())["artefacts"]["predictors"]
    assert list(said["results"]) == ["predictors/nb201/digits"]
    assert "nb201/digits (n = 80)" in said["finding"]
    shown = pd.read_csv(results / "analysis/predictors.csv")
    assert set(shown.splits) == {2}


def test_analysis_without_curves_says_what_to_run(tmp_path: Path, capfd) -> None:
    assert call(tmp_path, "job=analysis", "analysis=predictors", "results=.") == 1
    assert "make predictors" in capfd.readouterr().err

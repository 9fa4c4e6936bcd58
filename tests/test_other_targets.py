"""Latency, energy, robustness, early accuracy: which number is whose, and what scores know."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from scipy.stats import rankdata, spearmanr
from stored import store

from harness import stats, truth
from harness.core.errors import DataError, HarnessError
from harness.spaces import nb201
from harness.spaces.space import spaces
from harness.truth import nb201_targets

KEYS = spaces.get("nb201").sample(150, seed=3)
TASKS = ("cifar10", "cifar100", "imagenet16_120")


@pytest.fixture(scope="module")
def cifar10() -> pd.DataFrame:
    return truth.load_targets("nb201", "cifar10").set_index("key")


def test_every_task_has_every_device(cifar10: pd.DataFrame) -> None:
    for task in TASKS:
        table = truth.load_targets("nb201", task)
        names = [one.name for one in nb201_targets.targets("nb201", task)]
        assert list(table.columns) == ["key", *names]
        assert list(table["key"]) == list(spaces.get("nb201").keys())
        assert len([name for name in names if name.startswith("latency")]) == 6
        missing = table.drop(columns="key").isna().sum()
        assert missing["latency_edgetpu"] == 4_699
        assert missing.drop("latency_edgetpu").eq(0).all()
        assert (table.drop(columns="key").min() >= 0).all()
    assert cifar10.filter(regex="_[0-9]").max().max() <= 100


def test_values_belong_to_their_architectures(cifar10: pd.DataFrame) -> None:
    """A model of the device counts operations; whoever confuses keys gets about zero."""
    keys = cifar10.index
    convolutions = np.array([9 * key.count("conv_3x3") + key.count("conv_1x1") for key in keys])
    assert spearmanr(cifar10["latency_fpga"], convolutions).statistic > 0.9
    # Hardly attacked, a network is as accurate as not attacked.
    clean = truth.load("nb201", "cifar10", "test_mean").set_index("key")["value"][keys]
    assert spearmanr(cifar10["square_0.5"], clean).statistic > 0.8
    dead = cifar10[[nb201.graph(nb201.parse(key)).depends_on_input is False for key in keys]]
    assert len(dead) == 341
    assert (dead.filter(regex="_[0-9]") == 10).all(axis=None), "one class of ten, attacked or not"


def test_stronger_attacks_leave_less(cifar10: pd.DataFrame) -> None:
    for attack in ("fgsm", "pgd", "apgd", "square"):
        means = [cifar10[f"{attack}_{strength:g}"].mean() for strength in (0.5, 1, 2, 4)]
        assert means == sorted(means, reverse=True)


def test_tasks_of_equal_images_cost_the_same_up_to_measurement(cifar10: pd.DataFrame) -> None:
    """CIFAR-100's networks differ from CIFAR-10's in the classifier alone."""
    other = truth.load_targets("nb201", "cifar100").set_index("key")
    for name in ("latency_edgegpu", "energy_edgegpu", "latency_raspi4"):
        assert spearmanr(cifar10[name], other[name]).statistic > 0.97
    np.testing.assert_allclose(cifar10["latency_fpga"], other["latency_fpga"], rtol=2e-3)


def test_rounding_is_less_than_a_measurement_repeats(cifar10: pd.DataFrame) -> None:
    other = truth.load_targets("nb201", "cifar100").set_index("key")
    repeated = (cifar10["latency_edgegpu"] / other["latency_edgegpu"] - 1).abs().median()
    assert repeated > 10 * 2**-12


@pytest.mark.mirror
def test_the_file_names_architectures_as_suite_zero_does() -> None:
    raw = pd.read_csv(truth.fetch("nb201_robustness_cifar10"))
    keys = [spaces.get("nb201").canonical(text) for text in raw["net"]]
    known = truth.load("nb201", "cifar10", "suite_zero").set_index("key")["value"]
    np.testing.assert_allclose(raw["val_accs"], known[keys])


@pytest.mark.parametrize("fault", ["short", "twice", "negative", "text"])
def test_faulty_files_are_one_sentence(fault: str, tmp_path: Path, monkeypatch) -> None:
    table = nb201_targets.TABLES["nb201", "cifar100"][0]
    tuples = np.ndindex(*[5] * 6)
    raw = pd.DataFrame({"net": [str(one) for one in tuples]})
    raw = raw.assign(**{one.column: 1.0 for one in table.targets})
    if fault == "short":
        raw = raw.iloc[:-1]
    elif fault == "twice":
        raw.loc[0, "net"] = raw.loc[1, "net"]
    elif fault == "negative":
        raw.loc[5, "fpga_latency"] = -2.0
    else:
        raw = raw.astype({"fpga_latency": object})
        raw.loc[5, "fpga_latency"] = "fast"
    path = tmp_path / "hw.csv"
    raw.to_csv(path, index=False)
    monkeypatch.setattr(nb201_targets, "fetch", lambda _: path)
    with pytest.raises(DataError, match=r"hw\.csv"):
        nb201_targets.make(table)


def test_no_targets_of_another_space() -> None:
    with pytest.raises(HarnessError, match="nb201/cifar10"):
        truth.load_targets("nb301", "cifar10")


def test_accuracy_after_few_epochs() -> None:
    table = truth.load_epochs()
    final = truth.load("nb101", "cifar10").set_index("key")["value"]
    np.testing.assert_array_equal(table["test"], final[table["key"]])
    for epochs in (4, 108):
        known = truth.load("nb101", "cifar10", f"validation_{epochs}").set_index("key")["value"]
        np.testing.assert_array_equal(table[f"epochs_{epochs}"], known[table["key"]])
    assert spearmanr(table["epochs_108"], table["test"]).statistic == pytest.approx(0.986, abs=1e-3)
    # More parameters, more seconds.
    space = spaces.get("nb101")
    few = table.iloc[:300]
    params = [space.count_params(key, "cifar10") for key in few["key"]]
    assert spearmanr(few["seconds"], params).statistic > 0.7


def made_up(seeds: int = 2) -> pd.DataFrame:
    """Scores that are the 3×3 convolutions, with more and more noise; params are the size."""
    parts = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        count = np.array([key.count("conv_3x3") for key in KEYS], dtype=float)
        for name, noise in (("swap", 0.1), ("nwot", 2.0)):
            values = {"value": count + noise * random.normal(size=len(KEYS))}
            rows = {"space": "nb201", "task": "cifar10", "key": KEYS, "proxy": name, "seed": seed}
            accuracy = count + 0.5 * random.normal(size=len(KEYS))
            parts.append(pd.DataFrame({**rows, **values, "status": "ok", "truth": accuracy}))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(truth=table.groupby("key")["truth"].transform("first"), message="")


def test_other_quantities_stand_beside_scores(cifar10: pd.DataFrame) -> None:
    names = ["latency_edgetpu", "fgsm_1"]
    table = stats.beside(made_up(), cifar10[names])
    assert set(table["proxy"]) == {"swap", "nwot", *names}
    left = cifar10.loc[KEYS, "latency_edgetpu"].notna().sum()
    assert table.groupby(["seed", "proxy"]).size().eq(left).all()
    row = table[table["proxy"] == "fgsm_1"].iloc[7]
    assert row["value"] == cifar10.loc[row["key"], "fgsm_1"]


def test_correlations_are_scipys(cifar10: pd.DataFrame) -> None:
    scored = made_up(seeds=1)
    joined = stats.joint(stats.beside(scored, cifar10[["latency_pixel3"]]), resamples=50)
    table = stats.target_correlations(joined, ["latency_pixel3"]).set_index("proxy")
    latency = cifar10.loc[KEYS, "latency_pixel3"]
    for proxy in ("swap", "nwot"):
        value = scored[scored.proxy == proxy].set_index("key").value[KEYS]
        assert table.spearman[proxy] == pytest.approx(spearmanr(value, latency).statistic)
    accuracy = scored.drop_duplicates("key").set_index("key").truth[KEYS]
    assert table.spearman["accuracy"] == pytest.approx(spearmanr(accuracy, latency).statistic)
    assert (table.low < table.spearman).all()
    assert (table.n == len(KEYS)).all()

    fixed = stats.at_equal(joined, ["latency_pixel3"]).set_index("proxy")
    value = scored[scored.proxy == "nwot"].set_index("key").value[KEYS]
    ranks = np.column_stack([rankdata(one) for one in (value, accuracy, latency)])
    design = np.column_stack([np.ones(len(KEYS)), ranks[:, 2]])
    rest = ranks[:, :2] - design @ np.linalg.lstsq(design, ranks[:, :2], rcond=None)[0]
    assert fixed.partial["nwot"] == pytest.approx(np.corrcoef(rest.T)[0, 1])
    assert fixed.accuracy["nwot"] == pytest.approx(spearmanr(value, accuracy).statistic)
    assert np.isnan(fixed.partial["latency_pixel3"]), "what is held fixed"


def test_analysis_says_what_it_rests_on(tmp_path: Path) -> None:
    store(tmp_path, made_up())
    store(tmp_path, made_up().assign(space="nb301"))
    assert call(tmp_path, "job=analysis", "analysis=beyond_accuracy", "results=.") == 0
    table = pd.read_csv(tmp_path / "analysis/beyond_accuracy.csv")
    assert set(table["column"]) == {"nb201/cifar10"}
    assert set(table["proxy"]) == {"accuracy", "swap", "nwot"}
    assert table["target"].nunique() == 9 + 16
    robust = table["kind"] == "robust accuracy"
    assert table.loc[robust, "partial"].isna().all()
    said = json.loads((tmp_path / "analysis/run.json").read_text())["artefacts"]
    assert "swap" in said["beyond_accuracy"]["finding"]


@pytest.mark.parametrize(
    ("noise", "words"), [(0.0, "above 108 epochs"), (100.0, "below 4 epochs"), (1.5, "below")]
)
def test_a_proxy_stands_between_trainings(noise: float, words: str, tmp_path: Path) -> None:
    final = truth.load_epochs().set_index("key")["test"].iloc[:200]
    random = np.random.default_rng(1)
    rows = {"space": "nb101", "task": "cifar10", "key": final.index, "seed": 0, "status": "ok"}
    scored = pd.DataFrame({**rows, "proxy": "swap", "truth": final.to_numpy(), "message": ""})
    scored["value"] = rankdata(scored["truth"]) + noise * 100 * random.normal(size=200)
    machine = json.dumps({"device": "cpu"})
    store(tmp_path, scored.assign(seconds=0.2, machine=machine))
    assert call(tmp_path, "job=analysis", "analysis=early_training", "results=.") == 0
    said = json.loads((tmp_path / "analysis/run.json").read_text())["artefacts"]
    assert words in said["early_training"]["finding"]
    table = pd.read_csv(tmp_path / "analysis/early_training.csv").set_index("name")
    assert table["n"]["4 epochs"] == 30_001
    assert table["seconds"]["36 epochs"] == pytest.approx(table["seconds"]["4 epochs"] * 9)

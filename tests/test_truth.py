"""Ground truth: which number belongs to which architecture, and every way in which it can fail."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from harness import truth
from harness.core.errors import DataError, HarnessError
from harness.sources import convert as tables
from harness.sources.catalogue import Source, sources
from harness.spaces import nb201
from harness.spaces.space import spaces
from harness.truth import digits_truth, nb201_truth, records

mirror = pytest.mark.mirror
TASKS = ("cifar10", "cifar100", "imagenet16_120")
DOWNLOADED = ("suite_zero", "test_mean", "test_seeds")
KEY = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"


@pytest.fixture(scope="module")
def nb201_tables(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("data")))
        yield {
            (task, variant): truth.load("nb201", task, variant).set_index("key")
            for task in TASKS
            for variant in truth.variants("nb201", task)
            if variant in DOWNLOADED
        }


@mirror
def test_every_nb201_table_holds_every_architecture_once(nb201_tables) -> None:
    for (task, variant), table in nb201_tables.items():
        assert list(table.index) == list(spaces.get("nb201").keys()), (task, variant)
        assert table.value.between(0, 100).all()


@mirror
def test_best_means_are_the_optima_that_the_benchmark_published(nb201_tables) -> None:
    # NAS-Bench-201 paper, table 5, "optimal": test accuracy.
    for task, optimum in zip(TASKS, (94.37, 73.51, 47.31), strict=True):
        assert nb201_tables[task, "test_mean"].value.max() == pytest.approx(optimum, abs=0.006)


@mirror
def test_variants_agree_in_rank_only_if_keys_are_converted_rightly(nb201_tables) -> None:
    for task, least in zip(TASKS, (0.975, 0.99, 0.99), strict=True):
        single, mean = (nb201_tables[task, v].value for v in ("suite_zero", "test_mean"))
        assert spearmanr(single, mean).statistic > least
    # Reading the tuple in the order of the architecture string confuses two pairs of edges.
    wrong = {
        nb201.to_key([nb201.NASLIB_OPERATIONS[i] for i in ids]): nb201.from_naslib(ids)
        for ids in np.ndindex(*[5] * 6)
    }
    single, mean = (nb201_tables["cifar10", v].value for v in ("suite_zero", "test_mean"))
    renamed = single.rename(index={right: false for false, right in wrong.items()})
    assert spearmanr(renamed.reindex(mean.index), mean).statistic < 0.96


@mirror
def test_dead_cells_stay_at_chance(nb201_tables) -> None:
    space = spaces.get("nb201")
    dead = [key for key in space.numbered() if not space.cells(key)[0].depends_on_input]
    assert len(dead) == 341
    for task, classes in zip(TASKS, (10, 100, 120), strict=True):
        np.testing.assert_allclose(
            nb201_tables[task, "test_mean"].value[dead], 100 / classes, atol=1e-6
        )


@mirror
def test_suite_zero_was_measured_on_as_many_images_as_its_record_says(nb201_tables) -> None:
    def counts(task: str, images: int) -> np.ndarray:
        return nb201_tables[task, "suite_zero"].value.to_numpy() * images / 100

    for task, images in zip(TASKS, (10_000, 5_000, 3_000), strict=True):
        hits = counts(task, images)
        np.testing.assert_allclose(hits, hits.round(), atol=1e-3)
        assert f"{images:,}" in truth.describe("nb201", task, "suite_zero").split
    validation_hits = counts("cifar10", 25_000)  # what "validation accuracy" would be
    assert (np.abs(validation_hits - validation_hits.round()) > 0.1).mean() > 0.4


@mirror
@pytest.mark.parametrize("task", ["cifar100", "imagenet16_120"])
def test_suite_zero_spreads_as_one_of_the_averaged_runs(nb201_tables, task: str) -> None:
    # One of n averaged runs has variance (1-1/n)·s² around the mean: 4/3 as much for three as for
    # two. An independent run has (1+1/n)·s², less for three than for two.
    single, mean = (nb201_tables[task, v].value for v in ("suite_zero", "test_mean"))
    hits = mean * {"cifar100": 5_000, "imagenet16_120": 3_000}[task] / 100

    def whole(runs: int) -> pd.Series:
        return (hits * runs - (hits * runs).round()).abs() < 2e-3

    trained = mean > mean.quantile(0.2)
    two = (single - mean)[trained & ~whole(1) & whole(2)]
    three = (single - mean)[trained & ~whole(1) & ~whole(2) & whole(3)]
    assert min(len(two), len(three)) > 3_000
    assert three.var() / two.var() > 1.15


@mirror
@pytest.mark.skipif("HARNESS_VECTORS" not in os.environ, reason="HARNESS_VECTORS unset")
def test_seeds_equal_the_recorded_vectors(nb201_tables) -> None:
    path = Path(os.environ["HARNESS_VECTORS"]) / "nasbench201.json"
    seen = 0
    for vector in json.loads(path.read_text())["vectors"]:
        if runs := vector.get("cifar10_test_acc_seeds"):
            row = nb201_tables["cifar10", "test_seeds"].loc[vector["arch"]]
            assert row.value == pytest.approx(np.mean(runs))
            assert row.n_training_seeds == len(runs)
            if len(runs) > 1:
                assert row["std"] == pytest.approx(np.std(runs, ddof=1))
            seen += 1
    assert seen >= 5


@mirror
def test_seeds_average_to_the_other_files_means_where_all_three_ran(nb201_tables) -> None:
    seeds, mean = (nb201_tables["cifar10", v] for v in ("test_seeds", "test_mean"))
    three = seeds.index[seeds.n_training_seeds == 3]
    assert len(three) == 7_961
    np.testing.assert_allclose(seeds.value[three], mean.value[three], atol=1e-6)


@mirror
def test_published_proxies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    table = truth.load_published("nb201", "cifar10")
    wide = table.set_index(["key", "proxy"]).value.unstack()  # noqa: PD010
    assert wide.shape == (9_445, 13)
    assert wide.zen.isna().sum() == 1  # the one dead cell among them
    assert (table.value != -1e8).all()
    # Parameters in millions are exact, so they prove that scores sit at the right key.
    space = spaces.get("nb201")
    counts = [space.count_params(key, "cifar10") / 1e6 for key in wide.index]
    np.testing.assert_allclose(wide.params, counts, atol=1e-9)
    with pytest.raises(HarnessError, match="nb201/cifar10"):
        truth.load_published("nb201", "cifar100")


def _score_zip(path: Path, entries: object) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zen/benchmark--nasbench201--cifar10--0.json", json.dumps(entries))
        archive.writestr("zen/benchmark--nasbench201--cifar100--0.json", json.dumps([]))
    return path


def test_suite_zero_reader_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    good = _score_zip(tmp_path / "a.zip", [{"arch": "(0, 0, 0, 0, 0, 0)", "val_accuracy": 9.5}])
    assert nb201_truth.read_suite_zero(good, "cifar10").value.tolist() == [9.5]
    with pytest.raises(DataError, match="no scores"):
        nb201_truth.read_suite_zero(good, "cifar100")
    for entries in ([{"arch": "(0, 0)", "val_accuracy": 1}], [{"arch": "(0, 0, 0, 0, 0, 0)"}]):
        bad = _score_zip(tmp_path / "b.zip", entries)
        with pytest.raises(DataError, match="not a NAS-Bench-Suite-Zero"):
            nb201_truth.read_suite_zero(bad, "cifar10")


def test_measured_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "digits.csv"
    file.write_text(f"# recipe: 12 epochs\nkey,accuracy_0,accuracy_1,accuracy_2\n{KEY},90,91,95\n")
    monkeypatch.setattr(digits_truth, "FILE", file)
    table = truth.load("nb201", "digits")
    assert table.key.tolist() == [KEY]
    assert table.value.tolist() == [92]
    assert table["std"].tolist() == pytest.approx([np.sqrt(7)])
    assert table.n_training_seeds.tolist() == [3]
    assert table.attrs["variant"] == "measured"
    assert table.attrs["n"] == 1
    assert "1,397" in table.attrs["split"]

    file.write_text(f"key,accuracy_0,accuracy_1,accuracy_2\n{KEY},90,,95\n")
    with pytest.raises(DataError, match="a run is missing"):
        truth.load("nb201", "digits")
    file.write_text("key,accuracy_0\n")
    with pytest.raises(DataError, match="accuracy_1"):
        truth.load("nb201", "digits")
    file.unlink()
    with pytest.raises(DataError, match="missing"):
        truth.load("nb201", "digits")


def test_own_csv(tmp_path: Path) -> None:
    other = KEY.replace("avg_pool_3x3", "none")
    file = tmp_path / "mine.csv"
    file.write_text(f"key,value,comment\n{KEY},1.5,x\n {other} ,2,y\n")
    table = truth.load("nb201", "cifar10", variant="csv", path=str(file))
    assert dict(zip(table.key, table.value, strict=True)) == {KEY: 1.5, other: 2.0}
    assert list(table.columns) == ["key", "value", "n_training_seeds"]
    assert table.attrs["variant"] == "csv"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"key,accuracy\n{KEY},1\n", "lacks the column value"),
        (f"key,value\n{KEY},1\n{KEY},2\n", "line 3: .* second time"),
        (f"key,value\n{KEY},nan\n", "line 2: .*finite"),
        (f"key,value\n{KEY},inf\n", "finite"),
        (f"key,value\n{KEY},good\n", "line 2: value 'good'"),
        (f"key,value\n{KEY},1\nresnet18,2\n", "line 3: .*NAS-Bench-201"),
        (f"key,value\n{KEY.replace('none', 'nonne')},1\n", "Did you mean 'none'"),
        ("key,value\n", "no architectures"),
        ("", "lacks the column key and value"),
    ],
)
def test_faulty_csv_is_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(content)
    with pytest.raises(HarnessError, match=message) as caught:
        truth.load("nb201", "cifar10", variant="csv", path=str(file))
    assert str(file) in str(caught.value)


def test_csv_needs_its_path_and_nothing_else_takes_one(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"path=my\.csv"):
        truth.load("nb201", "cifar10", variant="csv")
    with pytest.raises(HarnessError, match="does not exist"):
        truth.load("nb201", "cifar10", variant="csv", path=str(tmp_path / "no.csv"))
    with pytest.raises(HarnessError, match="variant=csv"):
        truth.load("nb201", "cifar10", path="my.csv")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("nb20", "cifar10"), "nb201"),
        (("nb201", "cifar1000"), "cifar100"),
        (("nb201", "cifar10", "test_means"), "test_mean"),
    ],
)
def test_unknown_names_suggest_the_nearest(arguments: tuple[str, ...], hint: str) -> None:
    for function in (truth.load, truth.describe):
        with pytest.raises(HarnessError, match=f"Did you mean '{hint}'"):
            function(*arguments)


def test_every_record_says_what_it_is() -> None:
    assert truth.variants("nb201", "cifar10")[0] == "suite_zero"
    assert sorted(truth.variants("nb201", "cifar10")) == [
        *("csv", "nats", "nats_validation", "official", "official_validation"),
        *("suite_zero", "test_mean", "test_seeds"),
    ]
    assert truth.variants("nb201", "digits") == ["measured", "csv"]
    for info in (one.info for one in records.records.values()):
        assert info.metric and info.split and info.licence and info.training_seeds
        assert set(info.sources) <= set(sources)
        for variant in truth.variants(info.space, info.task):
            assert truth.describe(info.space, info.task, variant).variant == variant
    assert truth.describe("nb201", "cifar10") == truth.describe("nb201", "cifar10", "suite_zero")


def test_a_table_that_breaks_its_promise_is_refused() -> None:
    info = truth.describe("nb201", "cifar10")
    one = pd.DataFrame({"key": [KEY], "value": [1.0]})
    with pytest.raises(DataError, match=r"1 architectures where 15,625"):
        records.checked(one, info)
    with pytest.raises(DataError, match="twice"):
        records.checked(pd.concat([one, one]), info)
    with pytest.raises(DataError, match="finite"):
        records.checked(one.assign(value=np.nan), info)


def test_the_command_line_knows_every_variant_without_pandas_or_torch() -> None:
    code = """
import sys
from harness.command_line.choices import register
register()
heavy = {"torch", "pandas", "scipy", "sklearn", "matplotlib", "pyarrow", "pooch"}
sys.exit(", ".join(heavy & set(sys.modules)) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    variants = {one.info.variant for one in records.records.values()}
    assert records.choices() == ["default", *sorted(variants), "csv"]


def test_a_default_is_never_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = replace(records.get("nb201", "cifar10", "default").info, variant="aaa")
    with pytest.raises(HarnessError, match="default ground truth 'nb201/cifar10'"):
        records.add(records.Record(mine, pd.DataFrame, default=True))
    assert "aaa" not in truth.variants("nb201", "cifar10")


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A source "raw" of one line, in a fresh data folder, and how often it was read."""
    calls = {"reads": 0}
    raw = tmp_path / "raw.txt"
    raw.write_text("7")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    entry = Source("raw", "MIT", "a number", address="https://example.org/raw", sha256="ab" * 32)
    monkeypatch.setattr(tables, "source", lambda _: entry)
    monkeypatch.setattr(tables, "fetch", lambda _: raw)
    return calls


def test_conversion_happens_once_and_again_when_damaged(
    counted: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader(path: Path, task: str) -> pd.DataFrame:
        counted["reads"] += 1
        return pd.DataFrame(
            {"key": [task] * 1000, "value": np.arange(1000) + int(path.read_text())}
        )

    def convert() -> pd.DataFrame:
        return tables.converted("t", "raw", reader, "task")

    first = convert()
    pd.testing.assert_frame_equal(convert(), first)
    assert counted["reads"] == 1
    (file,) = (tmp_path / "data/cache/tables").iterdir()  # no temporary file is left
    assert file.name.startswith("t-abababababab-")

    for damage in (b"", b"PAR1 nonsense PAR1", _one_byte_changed(file.read_bytes())):
        file.write_bytes(damage)
        before = counted["reads"]
        pd.testing.assert_frame_equal(convert(), first)
        assert counted["reads"] == before + 1
        pd.testing.assert_frame_equal(convert(), first)
        assert counted["reads"] == before + 1  # and it was written anew

    changed = Source("raw", "MIT", "", address="https://example.org/raw", sha256="cd" * 32)
    monkeypatch.setattr(tables, "source", lambda _: changed)
    before = counted["reads"]
    convert()
    assert counted["reads"] == before + 1


def _one_byte_changed(content: bytes) -> bytes:
    place = len(content) // 3
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]

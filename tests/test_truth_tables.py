"""Every space's ground truth against what was published about it."""

import json
import zipfile
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from harness import truth
from harness.core.errors import DataError
from harness.sources import convert, suite_zero
from harness.spaces import nb101
from harness.spaces.space import spaces
from harness.spaces.tnb101 import TASKS
from harness.truth import darts_swap_truth, nb301_truth, records, tnb101_truth

mirror = pytest.mark.mirror


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("data")))
        yield lambda space, task: truth.load(space, task).set_index("key").value


def _rank_of_params(values: pd.Series, space: str, task: str) -> float:
    counts = [spaces.get(space).count_params(key, task) for key in values.index]
    return float(spearmanr(counts, values).statistic)


# NAS-Bench-Suite-Zero's heat map: Spearman of params. Wrong keys would give about zero. Their 1,000
# architectures per seed leave an error of 0.02 at most, also where all networks are taken.
PUBLISHED_PARAMS = {
    "tnb101_micro": {
        "jigsaw": 0.44, "class_scene": 0.64, "class_object": 0.45, "room_layout": 0.30,
        "autoencoder": -0.01, "normal": 0.62, "segmentsemantic": 0.68,
    },
    "tnb101_macro": {
        "jigsaw": 0.15, "class_scene": 0.32, "class_object": 0.16, "room_layout": 0.00,
        "autoencoder": -0.18, "normal": 0.30, "segmentsemantic": 0.06,
    },
}  # fmt: skip


@mirror
@pytest.mark.parametrize("space", PUBLISHED_PARAMS)
@pytest.mark.parametrize("task", TASKS)
def test_transnas_correlates_with_size_as_published(load, space: str, task: str) -> None:
    values = load(space, task)
    assert set(values.index) == set(spaces.get(space).keys())
    rho = _rank_of_params(values, space, task)
    assert rho == pytest.approx(PUBLISHED_PARAMS[space][task], abs=0.025)


@mirror
@pytest.mark.parametrize("space", PUBLISHED_PARAMS)
def test_transnas_accuracies_were_counted_on_157_batches_of_128(load, space: str) -> None:
    for task in ("class_scene", "class_object", "jigsaw"):
        hits = load(space, task) * 157 * 128 / 100
        np.testing.assert_allclose(hits, hits.round(), atol=0.01)
        assert "20,096" in truth.describe(space, task).split
    for task in ("normal", "autoencoder"):
        assert load(space, task).between(0, 1).all()
    assert load(space, "room_layout").lt(0).all()
    assert load(space, "segmentsemantic").between(90, 100).all()


def _is_alive(key: str) -> bool:
    """Tells whether any path of operations other than none (0) leads through a micro cell."""
    a, b, c, d, e, f = (digit != "0" for digit in key.split("-")[2].replace("_", ""))
    return d or (a and e) or (b and f) or (a and c and f)


@mirror
def test_exactly_the_dead_micro_cells_stay_at_chance(load) -> None:
    for task, chance in (("jigsaw", 100 * 10 / 20096), ("class_scene", 100 * 1504 / 20096)):
        values = load("tnb101_micro", task)
        alive = values.index.map(_is_alive).to_numpy(bool)
        assert (~alive).sum() == 169
        np.testing.assert_allclose(values[~alive], chance, rtol=1e-6)
        assert values[alive].quantile(0.01) > 1.5 * chance


@mirror
def test_nb101_keeps_one_spelling_of_each_cell(
    load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = truth.load("nb101", "cifar10", "suite_zero").set_index("key").value
    space = spaces.get("nb101")
    assert len({space.isomorphism_class(key) for key in values.index}) == len(values) == 292
    hits = values * 9984 / 100
    np.testing.assert_allclose(hits, hits.round(), atol=1e-3)
    # The file's own parameter counts, in millions, prove which cell a value belongs to.
    raw = json.loads(truth.fetch("nbsz_nb101_early").read_text())["nasbench101"]["cifar10"]
    assert len(raw) == 500
    for text, entry in raw.items():
        key = space.canonical(text)
        assert space.count_params(key, "cifar10") == pytest.approx(entry["params"] * 1e6, abs=1e-3)
    first = {}
    for text, entry in raw.items():
        cell = space.isomorphism_class(space.canonical(text))
        first.setdefault(cell, entry["val_accuracy"])
    assert {space.isomorphism_class(key): value for key, value in values.items()} == first


@mirror
def test_nb301_joins_both_files(load) -> None:
    values = load("nb301", "cifar10")
    assert len(values) == 1218
    assert values.between(88, 95).all()
    # 0.46 was published, on 11,221 architectures of which these are early draws.
    assert _rank_of_params(values, "nb301", "cifar10") == pytest.approx(0.46, abs=0.08)
    space = spaces.get("nb301")
    early, later = (
        json.loads(truth.fetch(name).read_text())
        for name in ("nbsz_nb301_early", "nbsz_nb301_later")
    )
    early, later = (
        {space.canonical(key): entry["val_accuracy"] for key, entry in table.items()}
        for table in (early["cifar10"], later["nasbench301"]["cifar10"])
    )
    shared = early.keys() & later.keys()
    assert len(shared) == 7
    assert max(abs(early[key] - later[key]) for key in shared) < 0.175  # as the note says
    assert dict(values) == later | early


def test_nb101_is_whole_and_its_best_cell_is_the_known_one(load) -> None:
    values = load("nb101", "cifar10")
    assert len(values) == 423_624
    assert values.max() == pytest.approx(94.3175752957662, abs=1e-6)  # float32 runs
    best = values.idxmax()
    space = spaces.get("nb101")
    assert truth.value("nb101", "cifar10", best) == values.max()
    spec = nb101.parse(best)
    vertices = len(spec.operations)
    inner = range(1, vertices - 1)
    for order in permutations(inner):  # any other spelling of the cell finds it, too
        place = [0, *order, vertices - 1]
        rows = [[spec.matrix[i][j] for j in place] for i in place]
        if not np.tril(rows).any():
            other = nb101.from_spec(rows, [spec.operations[i] for i in place])
            assert truth.value("nb101", "cifar10", other) == values.max()
    single = truth.load("nb101", "cifar10", "validation_108").set_index("key").value
    assert len(single) == 30_001
    assert spearmanr(single, values[single.index]).statistic == pytest.approx(0.986, abs=0.001)
    epochs = [truth.load("nb101", "cifar10", f"validation_{n}").value for n in (4, 12, 36, 108)]
    means = [one.mean() for one in epochs]
    assert means == sorted(means)
    assert space.sample(3, 0, pool=values.index.tolist()) == space.sample(3, 0)


def test_nb301_noisy_answers_correlate_with_size_as_the_other_table_does(load) -> None:
    noisy = truth.load("nb301", "cifar10", "surrogate_noisy").set_index("key").value
    assert len(noisy) == 10_000
    rho = _rank_of_params(noisy.iloc[::10], "nb301", "cifar10")
    assert rho == pytest.approx(
        _rank_of_params(load("nb301", "cifar10"), "nb301", "cifar10"), abs=0.1
    )


@mirror
def test_darts_swap_has_the_published_networks(load) -> None:
    values = load("darts_swap", "cifar10")
    assert (values.min(), values.max()) == (pytest.approx(10.22), pytest.approx(86.61))
    assert values.mean() == pytest.approx(79.18, abs=0.01)
    hits = values * 100  # of 10,000 images: no mean of several runs
    np.testing.assert_allclose(hits, hits.round(), atol=1e-3)
    assert _rank_of_params(values, "darts_swap", "cifar10") == pytest.approx(0.802, abs=0.001)


def test_tnb101_tuples_are_digits_in_the_strings_order(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for task, arch in (("jigsaw", "(1, 3, 0, 3, 2, 1)"), ("normal", "(2, 3, 1, 1)")):
            entries = [{"arch": arch, "val_accuracy": 0.5}]
            archive.writestr(f"zen/benchmark--x--{task}--0.json", json.dumps(entries))
    assert tnb101_truth.read_micro(path, "jigsaw").key.tolist() == ["64-41414-1_30_321"]
    assert tnb101_truth.read_macro(path, "normal").key.tolist() == ["64-2311-basic"]
    with pytest.raises(DataError, match="not a NAS-Bench-Suite-Zero"):
        tnb101_truth.read_micro(path, "normal")


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"cifar100": {}}', '{"cifar10": {"x": {"params": 1}}}', '{"cifar10": {"x": 1}}'],
)
def test_an_early_table_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "early.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"early\.json is not an early"):
        suite_zero.early_accuracies(path, "nasbench101", "cifar10", str)
    path.write_text('{"cifar10": {"((1, 2))": {"val_accuracy": 90}}}')
    assert suite_zero.early_accuracies(path, "any", "cifar10", str) == [("((1, 2))", 90)]
    with pytest.raises(DataError, match="not an early"):  # no cell of the space
        nb301_truth.read_suite_zero(path, path, "cifar10")


def test_a_faulty_darts_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archs.csv"
    for content in ("Genotype(),85\n", "a,b,c\n", "a\n"):
        path.write_text(content)
        with pytest.raises(DataError, match="is not the table"):
            darts_swap_truth.read(path, "cifar10")


def test_overview_lists_every_record_without_reading_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    table = truth.overview()
    assert list(tmp_path.iterdir()) == []
    assert len(table) == len(records.records.names())
    assert not table.duplicated(["space", "task", "variant"]).any()
    assert not table.drop(columns=["epochs", "n"]).isna().any().any()
    for (space, task), rows in table.groupby(["space", "task"]):
        assert [*rows.variant, "csv"] == truth.variants(space, task)
        assert set(spaces.get(space).tasks) >= {task}
    one = table.set_index(["space", "task", "variant"]).loc["tnb101_macro", "jigsaw", "suite_zero"]
    assert (one.source, one.licence, one.n) == ("automl/NASLib", "Apache-2.0", 3256)
    assert set(spaces) - set(table.space) <= {"darts"}  # which is searched, not benchmarked


def test_converted_tables_follow_the_spelling_of_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table in the cache must not outlive a change of what reads it or spells its keys."""
    package = tmp_path / "harness"
    for folder in ("truth", "spaces", "sources"):
        (package / folder).mkdir(parents=True)
        (package / folder / "one.py").write_text("a = 1")
    monkeypatch.setattr(convert, "__file__", str(package / "sources" / "convert.py"))
    codes = [convert._code.__wrapped__(package / "truth" / "one.py")]
    for folder in ("spaces", "sources"):
        (package / folder / "one.py").write_text("a = 2")
        codes.append(convert._code.__wrapped__(package / "truth" / "one.py"))
    assert len(set(codes)) == 3

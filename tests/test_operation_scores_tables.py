"""The job and the tables of Zero-Cost-PT: from stored scores and searches to what people read."""

import json
import shutil
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from stored import store

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.zero_cost_pt import iteration_figures, search_tables
from harness.results.folder import replacing
from harness.search.zero_cost_pt import operation_measurement
from harness.search.zero_cost_pt import operation_tables as scores
from harness.search.zero_cost_pt.stored_searches import (
    StoredSearches,
    chosen,
    ends,
    read_searches,
)
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings
from harness.spaces import nb201

CONV3 = nb201.to_key(["nor_conv_3x3"] * 6)
SKIP = nb201.to_key(["skip_connect"] * 6)
CONV1 = nb201.to_key(["nor_conv_1x1"] * 6)
ERRORS = {"cifar10": (6.0, 0.5), "cifar100": (28.0, 1.0), "imagenet16_120": (54.0, 2.0)}


def store_search(root: Path, *, compared: bool = True, **settings: object) -> Path:
    """Writes what a search of two seeds, three iterations and two batches leaves behind."""
    search = ZeroCostPtSettings(**{"iterations": 3, "validations": 2, **settings})
    selected = pd.DataFrame({"seed": [0, 1], "architecture": [CONV3, SKIP], "distinct": [3, 1]})
    for task, (mean, deviation) in ERRORS.items():  # of two values, that many apart from the mean
        selected[f"{task}_error"] = [mean - deviation / 2**0.5, mean + deviation / 2**0.5]
    ended = {0: [SKIP, CONV1, CONV3], 1: [SKIP, SKIP, SKIP]}
    steps = [
        (seed, iteration, edge, nb201.OPERATIONS.index(name), decided, "operation")
        for seed, keys in ended.items()
        for iteration, key in enumerate(keys)
        for edge, kept in reversed(list(enumerate(nb201.parse(key))))
        for name, decided in ((kept, True), ("none", False))
    ]
    steps.append((0, 0, 0, 4, False, "rank"))  # a ranking decides nothing
    columns = ["seed", "iteration", "edge", "operation", "decided", "phase"]
    rows = [
        # On the first batch the 1×1 cell is best, on both the 3×3 cell is.
        *((0, key, 0, score) for key, score in ((SKIP, 1.0), (CONV1, 3.0), (CONV3, 2.0))),
        *((0, key, 1, score) for key, score in ((SKIP, 1.0), (CONV1, 0.0), (CONV3, 5.0))),
    ]
    table = pd.DataFrame(rows, columns=["seed", "architecture", "batch", "score"])
    table = table if compared else table[:0]
    stored = StoredSearches(
        selected, pd.DataFrame(steps, columns=columns).assign(cell="cell"), table
    )
    folder = root / "zero_cost_pt" / "nb201" / "cifar10" / search.name
    with replacing(folder) as fresh:
        stored.write(fresh)
        record = {"config": {"search": vars(search)}, "conditions": {"images": 256}}
        (fresh / "run.json").write_text(json.dumps(record))
    return folder


def test_shorter_searches_choose_from_their_own_iterations_and_batches(tmp_path: Path) -> None:
    search = read_searches(store_search(tmp_path))
    found = ends("nb201", search.steps), search.comparisons
    assert found[0]["key"].tolist() == [SKIP, CONV1, CONV3, SKIP, SKIP, SKIP]
    assert chosen(*found, 0, n=1, v=2) == (SKIP, 1)
    assert chosen(*found, 0, n=3, v=1) == (CONV1, 3)
    assert chosen(*found, 0, n=3, v=2) == (CONV3, 3)
    assert chosen(*found, 0, n=2, v=2) == (CONV1, 2)
    assert chosen(*found, 1, n=3, v=2) == (SKIP, 1)
    errors = pd.Series({SKIP: 40.0, CONV1: 20.0, CONV3: 6.0})
    table = iteration_figures.swept("a", *found, errors).set_index(["N", "V"])
    assert table.index.tolist() == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert table.loc[(3, 2), ["distinct", "error"]].tolist() == [2.0, 23.0]
    assert table.loc[(1, 2), "error"] == 40


def test_a_search_without_its_comparisons_is_an_error(tmp_path: Path) -> None:
    search = read_searches(store_search(tmp_path, compared=False))
    with pytest.raises(DataError, match="lacks the comparisons of seed 0"):
        chosen(ends("nb201", search.steps), search.comparisons, 0, n=3, v=2)


def test_orders_and_proxies_stand_beside_the_printed_numbers(tmp_path: Path) -> None:
    store_search(tmp_path)
    store_search(tmp_path, counting="faithful")
    store_search(tmp_path, order="fixed", proxy="snip")
    found = StoredResults(tmp_path)
    orders = search_tables.table2(found).tables["zcpt_table2"]
    assert orders["order"].tolist() == [*search_tables.ORDERS, "random"]
    assert orders[orders["order"] == "random"]["counting"].tolist() == ["clean", "faithful"]
    mine = orders[orders["order"] == "random"].iloc[0]
    names = ["cifar10_error", "cifar10_std", "cifar10_paper_error", "cifar100_paper_std"]
    assert mine[names].tolist() == pytest.approx([6.0, 0.5, 5.97, 0.28])
    assert orders.loc[orders["order"] == "fixed", "cifar10_error"].isna().all()  # snip's
    proxies = search_tables.table3(found).tables["zcpt_table3"]
    assert proxies[proxies["cifar10_error"].notna()]["proxy"].tolist() == ["nwot", "nwot"]
    assert set(proxies["proxy"]) == set(search_tables.PROXIES)


def test_without_searches_the_tables_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="job=zero_cost_pt"):
        search_tables.table2(StoredResults(tmp_path))


def test_a_damaged_search_is_named(tmp_path: Path) -> None:
    folder = store_search(tmp_path)
    (folder / "selected.csv").write_text("seed,distinct\n0,3\n")
    with pytest.raises(DataError, match=r"selected.csv is not the file that run.json .* names"):
        search_tables.searches(StoredResults(tmp_path))


@pytest.mark.mirror
def test_table_4(tmp_path: Path) -> None:
    store_search(tmp_path)
    keys = [CONV3, CONV1, SKIP] * 20
    rows = [
        ("nb201", "cifar10", key, proxy, seed, value, "ok")
        for seed, key in enumerate(keys)
        # nwot prefers the 3×3 cell, synflow the one of skips.
        for proxy, value in (("nwot", -keys.index(key)), ("synflow", keys.index(key)))
    ]
    columns = ["space", "task", "key", "proxy", "seed", "value", "status"]
    store(tmp_path, pd.DataFrame(rows, columns=columns).assign(truth=50.0))
    found = search_tables.table4(StoredResults(tmp_path)).tables["zcpt_table4"].set_index("method")
    assert found.loc["NASWOT(nwot)", "cifar10_error"] == pytest.approx(6.24, abs=0.01)
    assert found.loc["NASWOT(nwot)", "cifar10_std"] == pytest.approx(0, abs=1e-9)
    assert found.loc["NASWOT(synflow)", "cifar10_error"] == pytest.approx(45.70, abs=0.01)
    # The paper's own sample of random architectures.
    for task in search_tables.TASKS:
        assert found.loc["Random", f"{task}_error"] == pytest.approx(
            found.loc["Random", f"{task}_paper_error"], abs=0.7
        )
    assert np.isnan(found.loc["DARTS-PT", "cifar10_error"])
    assert found.loc["Zero-Cost-PT(nwot)", "cifar10_error"] == pytest.approx(6.0)


SCORED = "results/operation_scores/nb201/digits"


def operation_scores(folder: Path, *overrides: str) -> int:
    job = ("job=operation_scores", "task=digits", "search.images=4", "executor=local")
    return commands.call(folder, *job, *overrides)


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / SCORED / name)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, float]]:
    """What was scored, by a stand-in for the supernet's scores."""
    drawn: list[tuple[object, float]] = []

    def masked(net, decisions, edge, batch, settings):
        drawn.append((edge, round(float(batch.images.sum()), 3)))
        assert not decisions
        assert len(batch.images) == settings.images
        return [5.0, 4.0, 1.0, 2.0, 3.0]

    monkeypatch.setattr(operation_measurement, "masked_scores", masked)
    return drawn


def test_the_job_measures_each_seed_once_and_adds_seeds_up(tmp_path: Path, drawn) -> None:
    assert operation_scores(tmp_path, "methods=[zc_pt]") == 0
    assert len({edge for edge, _ in drawn}) == 6
    assert len({images for _, images in drawn}) == 1  # else edges could not be compared
    shutil.rmtree(tmp_path / "results" / ".work")  # what the result holds is enough
    assert operation_scores(tmp_path, "methods=zc_pt", "seed=0..1") == 0
    assert len(drawn) == 12
    assert len({images for _, images in drawn}) == 2
    stored = read(tmp_path, "scores.csv")
    mine = stored[stored["method"] == "zc_pt"]
    assert len(mine) == 2 * 30
    assert mine["value"].unique().tolist() == [-5.0, -4.0, -1.0, -2.0, -3.0]
    table1 = read(tmp_path, "table1.csv").set_index("method")
    assert table1.loc["zc_pt", "cell"] == CONV1
    assert table1.loc["zc_pt", "search_seeds"] == 2
    best = scores.from_rows(stored[stored["method"] == "best_acc"])
    slow = np.mean(
        [row.corr(pd.Series([1, 2, 5, 4, 3], row.index), "spearman") for _, row in best.iterrows()]
    )
    assert read(tmp_path, "correlations.csv")["best_acc"].tolist() == pytest.approx([slow] * 3)
    assert (tmp_path / SCORED / "figure2_ours.png").is_file()
    assert not (tmp_path / SCORED / "figure2_paper.png").exists()  # those are CIFAR-10's
    (machine,) = json.loads((tmp_path / SCORED / "run.json").read_text())["computed"]
    assert machine["scores"] == 60


@pytest.mark.usefixtures("drawn")
def test_other_settings_add_up_and_other_conditions_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operation_scores(tmp_path, "methods=[zc_pt]") == 0
    assert operation_scores(tmp_path, "methods=[zc_pt]", "search.counting=faithful") == 0
    before = read(tmp_path, "scores.csv")
    assert set(before["setting"].dropna()) == {"nwot, clean", "nwot, faithful"}
    assert operation_scores(tmp_path, "methods=[zc_pt]", "search.images=5") == 1
    assert "zc_pt: nwot, clean.images=4, now 5" in " ".join(capsys.readouterr().err.split())
    pd.testing.assert_frame_equal(read(tmp_path, "scores.csv"), before)
    again = ("search.images=5", "overwrite=true")
    assert operation_scores(tmp_path, "methods=[zc_pt]", *again) == 0
    assert set(read(tmp_path, "scores.csv")["setting"].dropna()) == {"nwot, clean"}


@pytest.mark.slow
def test_the_job_trains_a_supernet(tmp_path: Path) -> None:
    recipe = ["images=40", "epochs=2", "alpha_epochs=1", "batch_size=20", "tune_epochs=1"]
    training = (f"train_supernet.{value}" for value in recipe)
    assert operation_scores(tmp_path, "methods=[darts,darts_pt,disc_acc]", *training) == 0
    stored = read(tmp_path, "scores.csv")
    shares = scores.from_rows(stored[stored["method"] == "darts"])
    np.testing.assert_allclose(shares.sum(axis="columns"), 1, atol=1e-6)
    settings = stored.dropna().groupby("method")["setting"].unique().explode().to_dict()
    assert settings["darts"] == "1 epochs, 40 images"
    assert settings["darts_pt"] == settings["disc_acc"] == "2 epochs, 40 images"
    assert stored[stored["method"] == "darts_pt"]["value"].between(-100, 0).all()
    assert stored[stored["method"] == "disc_acc"]["value"].between(0, 100).all()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("space=nb101", "use space=nb201"),
        ("methods=[zcpt]", "Did you mean 'zc_pt'"),
        ("train_supernet.epochs=0", "train_supernet.epochs=0 is not possible"),
        ("supernet.epochs=9", "Did you mean 'train_supernet.epochs'"),
    ],
)
def test_what_makes_no_sense_is_said(
    override: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operation_scores(tmp_path, override) == 1
    assert message in " ".join(capsys.readouterr().err.split())

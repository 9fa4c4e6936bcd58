"""The job and the tables of Zero-Cost-PT: from stored scores and searches to what people read."""

import json
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest

from harness.errors import DataError
from harness.paper import Results
from harness.paper import zero_cost_pt as tables
from harness.paper import zero_cost_pt_iterations as iterations
from harness.search import operation_scores as scores
from harness.spaces import nb201

CONV3 = nb201.to_key(["nor_conv_3x3"] * 6)
SKIP = nb201.to_key(["skip_connect"] * 6)
CONV1 = nb201.to_key(["nor_conv_1x1"] * 6)


def store_search(root: Path, name: str, **settings: object) -> Path:
    """Writes what a search of two seeds, three iterations and two batches leaves behind."""
    folder = root / "zero_cost_pt" / "nb201" / "cifar10" / name
    folder.mkdir(parents=True)
    search = {
        "proxy": "nwot",
        "order": "random",
        "once_order": "paper",
        "counting": "clean",
        "iterations": 3,
        "validations": 2,
    } | settings
    run = {"config": {"search": search}, "resolved": {"images": 256, "protocol": "p"}}
    (folder / "run.json").write_text(json.dumps(run))
    pd.DataFrame({"seed": [0, 1], "architecture": [CONV3, SKIP], "distinct": [3, 1]}).to_csv(
        folder / "found.csv", index=False
    )
    pd.DataFrame(
        {"task": tables.TASKS, "error": [6.0, 28.0, 54.0], "std": [0.5, 1.0, 2.0], "values": 4}
    ).to_csv(folder / "summary.csv", index=False)
    found = {0: [SKIP, CONV1, CONV3], 1: [SKIP, SKIP, SKIP]}
    steps = [
        (seed, iteration, edge, name, decided, "operation")
        for seed, keys in found.items()
        for iteration, key in enumerate(keys)
        for edge, kept in reversed(list(enumerate(nb201.parse(key))))
        for name, decided in ((kept, True), ("none", False))
    ]
    steps.append((0, 0, 0, "avg_pool_3x3", False, "rank"))  # a ranking decides nothing
    columns = ["seed", "iteration", "edge", "name", "decided", "phase"]
    pd.DataFrame(steps, columns=columns).to_parquet(folder / "steps.parquet")
    rows = [
        # On the first batch the 1×1 cell is best, on both the 3×3 cell is.
        *((0, key, 0, score) for key, score in ((SKIP, 1.0), (CONV1, 3.0), (CONV3, 2.0))),
        *((0, key, 1, score) for key, score in ((SKIP, 1.0), (CONV1, 0.0), (CONV3, 5.0))),
    ]
    table = pd.DataFrame(rows, columns=["seed", "architecture", "batch", "score"])
    old = table.assign(protocol="old", score=100.0)
    pd.concat([table.assign(protocol="p"), old]).to_parquet(folder / "comparisons.parquet")
    return folder


def test_shorter_searches_choose_from_their_own_iterations_and_batches(tmp_path: Path) -> None:
    search = iterations.read(store_search(tmp_path, "a"))
    assert search.found["key"].tolist() == [SKIP, CONV1, CONV3, SKIP, SKIP, SKIP]
    assert iterations.chosen(search, 0, n=1, v=2) == (SKIP, 1)
    assert iterations.chosen(search, 0, n=3, v=1) == (CONV1, 3)
    assert iterations.chosen(search, 0, n=3, v=2) == (CONV3, 3)
    assert iterations.chosen(search, 0, n=2, v=2) == (CONV1, 2)
    assert iterations.chosen(search, 1, n=3, v=2) == (SKIP, 1)
    errors = pd.Series({SKIP: 40.0, CONV1: 20.0, CONV3: 6.0})
    table = iterations.swept(search, errors).set_index(["N", "V"])
    assert table.index.tolist() == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert table.loc[(3, 2), ["distinct", "error"]].tolist() == [2.0, 23.0]
    assert table.loc[(1, 2), "error"] == 40


def test_a_search_without_its_comparisons_is_an_error(tmp_path: Path) -> None:
    folder = store_search(tmp_path, "a")
    table = pd.read_parquet(folder / "comparisons.parquet")
    table[table["protocol"] == "old"].to_parquet(folder / "comparisons.parquet")
    with pytest.raises(DataError, match="lacks the comparisons of seed 0"):
        iterations.chosen(iterations.read(folder), 0, n=3, v=2)


def test_orders_and_proxies_stand_beside_the_printed_numbers(tmp_path: Path) -> None:
    store_search(tmp_path, "a")
    store_search(tmp_path, "b", counting="faithful")
    store_search(tmp_path, "c", order="fixed", proxy="snip")
    found = Results(tmp_path)
    orders = tables.table2(found).tables["zcpt_table2"]
    assert orders["order"].tolist() == [*tables.ORDERS, "random"]
    assert orders[orders["order"] == "random"]["counting"].tolist() == ["clean", "faithful"]
    mine = orders[orders["order"] == "random"].iloc[0]
    assert mine[["cifar10_error", "cifar10_paper_error", "cifar100_paper_std"]].tolist() == [
        6.0,
        5.97,
        0.28,
    ]
    assert orders.loc[orders["order"] == "fixed", "cifar10_error"].isna().all()  # snip's
    proxies = tables.table3(found).tables["zcpt_table3"]
    assert proxies[proxies["cifar10_error"].notna()]["proxy"].tolist() == ["nwot", "nwot"]
    assert set(proxies["proxy"]) == set(tables.PROXIES)


def test_without_searches_the_tables_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="job=zero_cost_pt"):
        tables.table2(Results(tmp_path))


def test_a_broken_search_is_named(tmp_path: Path) -> None:
    folder = store_search(tmp_path, "a")
    (folder / "summary.csv").write_text("task,error\ncifar10,6\n")
    with pytest.raises(DataError, match=r"cifar10.a cannot be read"):
        tables.searches(Results(tmp_path))


@pytest.mark.mirror
def test_table_4(tmp_path: Path) -> None:
    store_search(tmp_path, "a")
    keys = [CONV3, CONV1, SKIP] * 20
    folder = tmp_path / "nb201" / "cifar10"
    folder.mkdir(parents=True)
    rows = [
        ("nb201", "cifar10", key, proxy, seed, value, "ok")
        for seed, key in enumerate(keys)
        # nwot prefers the 3×3 cell, synflow the one of skips.
        for proxy, value in (("nwot", -keys.index(key)), ("synflow", keys.index(key)))
    ]
    columns = ["space", "task", "key", "proxy", "seed", "value", "status"]
    pd.DataFrame(rows, columns=columns).to_parquet(folder / "scores.parquet")
    run = {"inputs": {"stand_in": False, "source": "x"}, "truth": {"n": 3}}
    (folder / "run.json").write_text(json.dumps(run))
    found = tables.table4(Results(tmp_path)).tables["zcpt_table4"].set_index("method")
    assert found.loc["NASWOT(nwot)", "cifar10_error"] == pytest.approx(6.24, abs=0.01)
    assert found.loc["NASWOT(nwot)", "cifar10_std"] == pytest.approx(0, abs=1e-9)
    assert found.loc["NASWOT(synflow)", "cifar10_error"] == pytest.approx(45.70, abs=0.01)
    # The paper's own sample of random architectures.
    for task in tables.TASKS:
        assert found.loc["Random", f"{task}_error"] == pytest.approx(
            found.loc["Random", f"{task}_paper_error"], abs=0.7
        )
    assert np.isnan(found.loc["DARTS-PT", "cifar10_error"])
    assert found.loc["Zero-Cost-PT(nwot)", "cifar10_error"] == 6.0


def operation_scores(folder: Path, *overrides: str) -> int:
    return commands.call(
        folder,
        "job=operation_scores",
        "search.images=4",
        "executor=local",
        *overrides,
    )


def test_the_job_measures_each_seed_once_and_adds_seeds_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.runs import operation_scores as operation_scores_runs

    commands.write_truth(tmp_path)
    drawn = []

    def masked(net, decisions, edge, batch, settings):
        drawn.append((edge, round(float(batch.images.sum()), 3)))
        assert not decisions
        assert len(batch.images) == 4
        return [5.0, 4.0, 1.0, 2.0, 3.0]

    monkeypatch.setattr(operation_scores_runs, "masked_scores", masked)
    assert operation_scores(tmp_path, "operation_scores.methods=[zc_pt]") == 0
    assert len(set(drawn)) == 6  # every edge sees images of its own
    again = operation_scores(tmp_path, "operation_scores.methods=[zc_pt]", "seed=0..1")
    assert again == 0
    assert len(drawn) == 12  # seed 0 was stored
    folder = tmp_path / "results" / "operation_scores" / "nb201" / "digits"
    stored = pd.read_csv(folder / "scores.csv")
    mine = stored[stored["method"] == "zc_pt"]
    assert len(mine) == 2 * 30
    assert mine["value"].unique().tolist() == [-5.0, -4.0, -1.0, -2.0, -3.0]
    table1 = pd.read_csv(folder / "table1.csv").set_index("method")
    assert table1.loc["zc_pt", "cell"] == CONV1
    assert table1.loc["zc_pt", "search_seeds"] == 2
    correlations = pd.read_csv(folder / "correlations.csv")
    best = stored[stored["method"] == "best_acc"]
    slow = np.mean(
        [
            best[best["edge"] == e]["value"]
            .rank()
            .corr(pd.Series([1, 2, 5, 4, 3]).set_axis(best[best["edge"] == e].index))
            for e in range(6)
        ]
    )
    assert correlations["best_acc"].tolist() == pytest.approx([slow] * 3)
    assert (folder / "figure2_ours.png").is_file()
    assert not (folder / "figure2_paper.png").exists()  # the authors' scores are CIFAR-10's


@pytest.mark.slow
def test_the_job_trains_a_supernet(tmp_path: Path) -> None:
    commands.write_truth(tmp_path)
    recipe = ["images=40", "epochs=1", "batch_size=20", "tune_epochs=1"]
    methods = "operation_scores.methods=[darts,darts_pt,disc_acc]"
    assert operation_scores(tmp_path, methods, *(f"supernet.{value}" for value in recipe)) == 0
    folder = tmp_path / "results" / "operation_scores" / "nb201" / "digits"
    stored = pd.read_csv(folder / "scores.csv")
    shares = scores.from_rows(stored[stored["method"] == "darts"])
    np.testing.assert_allclose(shares.sum(axis="columns"), 1, atol=1e-6)
    assert stored[stored["method"] == "darts_pt"]["value"].between(-100, 0).all()
    assert stored[stored["method"] == "disc_acc"]["value"].between(0, 100).all()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("space=nb101", "use space=nb201"),
        ("operation_scores.methods=[zcpt]", "Did you mean 'zc_pt'"),
        ("supernet.epochs=0", "supernet.epochs=0 is too small"),
    ],
)
def test_what_makes_no_sense_is_said(
    override: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operation_scores(tmp_path, override) == 1
    assert message in " ".join(capsys.readouterr().err.split())

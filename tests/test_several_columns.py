"""The analyses that look at several columns at once, from the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from stored import store
from test_analysis import scores

ASKED = {
    "similar_proxies": ["similar_proxies"],
    "complementary": ["complementary"],
    "ensembles": ["ensembles"],
    "recipe": ["recipe", "recipe_choice"],
    "leaderboard": ["leaderboard", "leaderboard_pairs", "leaderboard_stability"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("several")
    store(root, scores(500, 1).assign(task="cifar10"))
    store(root, scores(120, 2).assign(space="nb101", task="cifar10"))
    asked = f"analysis=[{','.join(ASKED)}]"
    assert call(root, "job=analysis", asked, "results=.") == 0
    return root / "analysis"


def test_every_answer_has_numbers_and_rests_on_both(folder: Path) -> None:
    told = json.loads((folder / "run.json").read_text())["artefacts"]
    for name, tables in ASKED.items():
        said = told[name]
        assert set(said["results"]) == {"main/nb101/cifar10", "main/nb201/cifar10"}
        assert any(digit in said["finding"] for digit in "123456789")
        assert "nan" not in said["finding"].lower()
        assert len(said["finding"].split()) < 55
        assert {f"{table}.csv" for table in tables} <= set(said["files"])


def test_every_table_says_what_it_rests_on(folder: Path) -> None:
    for tables in ASKED.values():
        for name in tables:
            columns = set(pd.read_csv(folder / f"{name}.csv"))
            if name not in {"recipe_choice", "leaderboard_pairs"}:
                assert {"n", "low", "high"} <= columns, name


def test_what_is_too_small_for_bins_is_left_out(folder: Path) -> None:
    assert set(pd.read_csv(folder / "complementary.csv")["column"]) == {"nb201/cifar10"}


def test_printed_aggregates_stand_beside_ours(folder: Path) -> None:
    table = pd.read_csv(folder / "recipe.csv").set_index(["column", "method"])
    assert table.printed["nb201/cifar10", "recipe"] == pytest.approx(0.919)
    assert not table.printed_sees_accuracies["nb201/cifar10", "recipe"]
    assert table.printed["nb101/cifar10", "recipe"] == pytest.approx(0.77)
    assert table.printed_sees_accuracies["nb101/cifar10", "recipe"]
    assert np.isfinite(table.seconds).all()


def test_one_space_has_no_recipe(tmp_path: Path) -> None:
    store(tmp_path, scores(60, 1))
    assert call(tmp_path, "job=analysis", "analysis=recipe", "results=.") == 1

"""Ensembles within a run: what they combine, what they look at, and where that is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import call, write_truth

from harness import api
from harness.core.errors import HarnessError
from harness.core.sections import Settings
from harness.passes.further_settings import EnsembleSettings
from harness.proxies import Accuracies, population
from harness.proxies.contract import populations, seeing_truth
from harness.proxies.sets import scored
from harness.results.folder import read_record
from harness.stats import ensembles

PARTS = ("params", "flops", "l2_norm")
ENSEMBLES = ["rank_log", "vote", "robot", "libra"]
RESULT = Path("results/main/nb201/digits")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_truth(tmp_path, n=20)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(proxies: Any, parts: tuple[str, ...] = PARTS, **choices: Any) -> pd.DataFrame:
    chosen = {"truth": "csv", "truth_path": "truth.csv", "batch_size": 4, "executor": "local"}
    settings = [EnsembleSettings(parts, queries=5)]
    return api.evaluate("nb201", "digits", proxies, 12, settings=settings, **chosen, **choices)


def columns(table: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    return np.stack([table[table.proxy == name].value.to_numpy() for name in names], axis=1)


def test_ensembles_are_functions_of_the_columns_that_settings_name(here: Path) -> None:
    table = run([*PARTS, *ENSEMBLES])
    scores = columns(table, PARTS)
    truth = table[table.proxy == "params"].truth.to_numpy()
    expected = {
        "rank_log": ensembles.rank_log(scores),
        "vote": ensembles.vote(scores),
        "robot": ensembles.robot(scores, truth, queries=5),
        "libra": ensembles.libra(scores, truth, scores[:, 0]),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(columns(table, (name,))[:, 0], values, err_msg=name)


def test_only_what_was_asked_for_is_shown(here: Path) -> None:
    assert set(run("vote").proxy) == {"vote"}


def test_what_an_ensemble_is_made_of_is_part_of_its_conditions(here: Path) -> None:
    run(["vote", "robot"], results="results")
    known = read_record(RESULT)["conditions"]["proxies"]
    assert known["robot"]["made_of"] == list(PARTS)
    assert (known["vote"]["sees_truth"], known["robot"]["sees_truth"]) == (False, True)
    with pytest.raises(HarnessError, match=r"ensemble\.proxies"):
        run("vote", parts=("params", "flops"), results="results")


def test_who_looks_at_accuracies_is_marked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["proxies=[vote,libra]", "ensemble.proxies=[params,flops,l2_norm]", "n=12"]
    assert call(here, "executor=local", *asked) == 0
    shown = capsys.readouterr()
    assert "libra*" in shown.out
    assert "vote*" not in shown.out
    assert "* libra: made with the accuracies, not zero-cost." in shown.out + shown.err
    assert seeing_truth([*PARTS, *ENSEMBLES]) == ["robot", "libra"]


@pytest.mark.parametrize("part", ["az_nas", "sawp"])
def test_an_ensemble_of_what_is_no_proxy(part: str) -> None:
    with pytest.raises(HarnessError, match=f"Unknown proxy '{part}'"):
        scored(["vote"], Settings(EnsembleSettings(("params", part))))


def test_an_ensemble_of_nothing() -> None:
    with pytest.raises(HarnessError, match=r"ensemble\.proxies=\[\] combines nothing"):
        EnsembleSettings(())


def test_a_population_proxy_asks_for_accuracies_by_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(populations, "_items", dict(populations._items))

    @population("params")
    def nearest(columns: np.ndarray, truth: Accuracies) -> np.ndarray:
        """How near the accuracy is to the score."""
        return -np.abs(columns[:, 0] - truth.values)

    known = populations.get("nearest")
    assert (known.truth, known.columns(Settings())) == (True, ("params",))
    column = np.array([[1.0], [2.0]])
    found = known.scores(column, np.array([1.0, 4.0]), Settings())
    np.testing.assert_array_equal(found, [0, -2])
    with pytest.raises(HarnessError, match="looks at the accuracies"):
        known.scores(column, None, Settings())

"""Every score as one data set: nothing is lost, nothing is there twice, every condition is told."""

import json
import re
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import call, write_truth

from harness import api
from harness.core.errors import DataError, HarnessError
from harness.results.collection import write
from harness.results.folder import read_record
from harness.sources.places import checksum


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    write_truth(folder)
    for more in ([], ["study=again"], ["study=other", "swap.images=4"]):
        assert call(folder, "proxies=[params,swap]", "executor=local", *more) == 0
    assert call(folder, "job=collect") == 0
    return folder / "results"


def test_each_score_is_there_once(folder: Path) -> None:
    table = api.scores.load("nb201", "digits", results=folder)
    assert not table.duplicated(["key", "proxy", "seed", "conditions"]).any()
    # Two studies share their scores; the third has other conditions for swap alone.
    assert table.groupby("proxy").size().to_dict() == {"params": 4, "swap": 8}
    for study in ("main", "other"):
        scores = api.scores.of_study("nb201", "digits", study=study, results=folder)
        columns = ["key", "proxy", "seed", "conditions", "value"]
        both = scores[columns].merge(table[columns])
        assert len(both) == len(scores) == 8


def test_conditions_are_told(folder: Path) -> None:
    table = api.scores.load("nb201", "digits", results=folder)
    images = {
        one["settings"]["swap"]["images"]
        for one in table.attrs["conditions"].values()
        if "swap" in one["settings"]
    }
    assert images == {4, 8}
    assert all(one["inputs"]["source"] for one in table.attrs["conditions"].values())


def test_the_card_counts_explains_and_runs(folder: Path) -> None:
    card = (folder / "scores" / "README.md").read_text()
    assert card.startswith("# Scores") and "| nb201 | digits | 4 | 2 | 1 | 12 |" in card
    assert api.scores.load("nb201", "digits", results=folder).columns.tolist() == re.findall(
        r"^\| `(\w+)` \|", card, re.M
    )
    first, second = re.findall(r"```python\n(.*?)```", card, re.S)
    within: dict[str, Any] = {}
    with chdir(folder.parent):
        exec(first, within)
        exec(second.replace("== 32", "== 4"), within)
    assert len(within["swap"]) == 4 and set(within["swap"]["proxy"]) == {"swap"}


def test_the_same_results_give_the_same_files(folder: Path) -> None:
    def held() -> dict[str, bytes]:
        return {
            path.name: path.read_bytes()
            for path in (folder / "scores").iterdir()
            if path.name != "run.json"
        }

    before = held()
    write(folder)
    assert held() == before and len(before) == 2


def test_a_score_beats_a_failure_and_trials_are_left_out(tmp_path: Path) -> None:
    write_truth(tmp_path)
    for study in ("a", "b", "demo"):
        assert call(tmp_path, "proxies=[params]", "executor=local", f"study={study}") == 0
    results = tmp_path / "results"
    of_a = results / "a" / "nb201" / "digits"
    scores = pd.read_parquet(of_a / "scores.parquet").assign(status="error", value=np.nan)
    record = json.loads((of_a / "run.json").read_text())
    scores.to_parquet(of_a / "scores.parquet")
    record["files"]["scores.parquet"] = checksum(of_a / "scores.parquet")
    (of_a / "run.json").write_text(json.dumps(record))
    write(results)
    assert api.scores.load("nb201", "digits", results=results).status.tolist() == ["ok"] * 4
    rests = read_record(results / "scores")["results"]
    assert list(rests) == ["a/nb201/digits", "b/nb201/digits"]


def test_what_is_missing_or_damaged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"clone .*job=collect"):
        api.scores.load("nb201", "digits", results=tmp_path)
    with pytest.raises(HarnessError, match="nb101 and cifar10; it has nb201-digits"):
        api.scores.load("nb101", "cifar10", results=folder)
    copy = tmp_path / "scores"
    shutil.copytree(folder / "scores", copy)
    file = copy / "nb201-digits.parquet"
    pd.read_parquet(file).iloc[1:].to_parquet(file)
    with pytest.raises(DataError, match="nb201-digits"):
        api.scores.load("nb201", "digits", results=tmp_path)

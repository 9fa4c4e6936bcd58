"""Every score as one data set: nothing is lost, nothing is there twice, every condition is told."""

from pathlib import Path

import pandas as pd
import pytest
from commands import call, write_truth

from harness import api
from harness.core.errors import DataError, HarnessError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    write_truth(folder)
    for more in ([], ["study=again"], ["study=other", "swap.images=4"]):
        assert call(folder, "proxies=[params,swap]", "executor=local", *more) == 0
    assert call(folder, "job=collect") == 0
    return folder / "results"


def test_each_score_is_there_once(folder: Path) -> None:
    table = api.scores.every("nb201", "digits", results=folder)
    assert not table.duplicated(["key", "proxy", "seed", "conditions"]).any()
    # Two studies share their scores; the third has other conditions for swap alone.
    assert table.groupby("proxy").size().to_dict() == {"params": 4, "swap": 8}
    for study in ("main", "other"):
        scores = api.scores.load("nb201", "digits", study=study, results=folder)
        columns = ["key", "proxy", "seed", "conditions", "value"]
        both = scores[columns].merge(table[columns])
        assert len(both) == len(scores) == 8


def test_conditions_are_told(folder: Path) -> None:
    table = api.scores.every("nb201", "digits", results=folder)
    images = {
        one["settings"]["swap"]["images"]
        for one in table.attrs["conditions"].values()
        if "swap" in one["settings"]
    }
    assert images == {4, 8}
    assert all(one["inputs"]["source"] for one in table.attrs["conditions"].values())
    assert "| nb201" in (folder / "scores" / "README.md").read_text()


def test_what_is_missing_or_damaged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="job=collect"):
        api.scores.every("nb101", "cifar10", results=folder)
    copy = tmp_path / "scores"
    copy.mkdir()
    for file in (folder / "scores").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    file = copy / "nb201-digits.parquet"
    pd.read_parquet(file).iloc[1:].to_parquet(file)
    with pytest.raises(DataError, match="nb201-digits"):
        api.scores.every("nb201", "digits", results=tmp_path)

"""``job=list`` and ``job=score``: what can be had, and what proxies say of one network."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from commands import RESULT, call, write_truth

from harness import truth
from harness.executors.executor import executors
from harness.inputs.image_sets import image_sets
from harness.jobs.job import jobs
from harness.proxies.contract import populations, proxies
from harness.proxies.sets import proxy_sets
from harness.spaces.space import spaces


def rows(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    """Returns what a job says as CSV; nothing else may stand on the standard output."""
    assert call(folder, *arguments, "format=csv") == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    return tmp_path


def test_everything_registered_is_listed(
    nothing_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = rows(nothing_here, capsys, "job=list")
    names = {kind: {row["name"] for row in listed if row["kind"] == kind} for kind in KINDS}
    assert names["space"] == set(spaces)
    assert names["proxy"] == {*proxies, *populations}
    assert names["set"] == set(proxy_sets)
    assert names["inputs"] == {"task", "gaussian", *image_sets}
    assert names["executor"] == set(executors)
    assert names["job"] == set(jobs)
    assert len([row for row in listed if row["kind"] == "truth"]) == len(truth.overview())
    assert all(row["description"] for row in listed)


KINDS = ("space", "task", "proxy", "set", "inputs", "truth", "executor", "job")


def test_a_space_narrows_the_list(nothing_here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = rows(nothing_here, capsys, "job=list", "space=nb201", "task=digits")
    found = {(row["kind"], row["name"], row["available"]) for row in listed}
    assert {("space", "nb201", ""), ("inputs", "digits_train", "bundled")} <= found
    assert {row["kind"] for row in listed} == {"space", "task", "inputs", "truth"}
    assert {row["belongs_to"].split(",")[0] for row in listed if row["kind"] == "truth"} == {
        "nb201/digits"
    }
    assert call(nothing_here, "job=list", "space=nb201", "task=jigsaw") == 1
    assert "Unknown task of nb201 'jigsaw'" in capsys.readouterr().err


def test_the_list_says_how_something_is_had(
    nothing_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def available(name: str) -> str:
        listed = rows(nothing_here, capsys, "job=list", "space=nb201", "task=cifar10")
        (row,) = (row for row in listed if row["name"] == name)
        return row["available"]

    assert available("gaussian") == "bundled"
    assert available("cifar10_train") == "download"
    assert available("official") == "by hand"
    (nothing_here / "images").mkdir()
    (nothing_here / "images/cifar10_train.npz").touch()
    assert available("cifar10_train") == "at hand"


def test_the_list_is_a_table_in_the_terminal(
    nothing_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(nothing_here, "job=list", "space=nb101") == 0
    out = capsys.readouterr().out
    assert "available" in out
    assert "nb101" in out
    assert "nb201" not in out
    assert call(nothing_here, "job=list", "format=json") == 1
    assert "Unknown format 'json'. Known: csv, table." in capsys.readouterr().err


SMALL = ["task=digits", "batch_size=8", "swap.images=8", "executor=local"]


def test_scores_are_those_of_the_main_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_truth(tmp_path, n=4)
    asked = ["executor=local", "proxies=[params,reg_swap,jacov]", "seed=0..1"]
    assert call(tmp_path, *asked) == 0
    expected = pd.read_parquet(tmp_path / RESULT / "scores.parquet")
    expected = expected.set_index(["key", "proxy", "seed"])
    key = expected.index[0][0]
    capsys.readouterr()
    for architecture in (key, spaces.get("nb201").index(key)):
        found = rows(tmp_path, capsys, "job=score", *SMALL, *asked, f"architecture={architecture}")
        assert len(found) == 6
        for row in found:
            same = expected.loc[(key, row["proxy"], int(row["seed"]))]
            assert (row["key"], float(row["value"])) == (key, same.value)


def test_a_network_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "parts.py").write_text("WIDTH = 4\n")
    (tmp_path / "my.py").write_text(OWN)
    asked = ["job=score", *SMALL, "proxies=[params,swap,az_nas,snip]"]
    found = {row["proxy"]: row for row in rows(tmp_path, capsys, *asked, "model=my.py:build")}
    assert float(found["params"]["value"]) == pytest.approx((27 * 4 + 4 * 10) / 1e6)
    assert found["snip"]["status"] == "ok"
    assert "az_nas" not in found  # of one network there is no rank, but its parts
    assert {"az_expressivity", "flops"} <= set(found)
    assert call(tmp_path, *asked, "model=my.py:build") == 0
    assert "0.000148" in capsys.readouterr().out
    for model, message in WRONG.items():
        assert call(tmp_path, *asked, f"model={model}") == 1
        error = capsys.readouterr().err
        assert message in error
        assert len(error.strip().splitlines()) == 1


OWN = """
from torch import nn
from parts import WIDTH

def build():
    return nn.Sequential(
        nn.Conv2d(3, WIDTH, 3, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(WIDTH, 10, bias=False),
    )

def number():
    return 3

def broken():
    raise ValueError("no such layer")
"""
WRONG = {
    "my.py": "names no function; write model=FILE.py:FUNCTION",
    "none.py:build": "there is no file none.py",
    "my.py:bild": "has no attribute 'bild'",
    "my.py:number": "returns int; it must return an nn.Module",
    "my.py:broken": "cannot be built (ValueError: no such layer)",
}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "job=score needs one network: architecture=KEY"),
        (["architecture=0", "model=my.py:build"], "job=score needs one network"),
        (["architecture=15625"], "15625 is no index of nb201, whose 15,625 architectures are"),
        (["architecture=-1"], "is no index of nb201"),
        (["architecture=|none~1|"], "is not a NAS-Bench-201 architecture"),
        (["architecture=0", "space=nb301"], "nb301 have no indices; name one by its key"),
        (["architecture=423624", "space=nb101"], "numbered from 0"),
        (["architecture=0", "space=tnb101_micro", "task=jigsaw"], "only the benchmark's file"),
    ],
)
def test_what_names_no_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], message: str
) -> None:
    assert call(tmp_path, "job=score", *SMALL, *asked) == 1
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True), err

"""A result made again from its run.json: the configuration that comes out, and what is said."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import RESULT, call, write_truth

from harness.proxies.contract import proxies
from harness.results import record
from harness.results.equality import Compared, compare, reproduced, verdict
from harness.results.folder import read_record, replacing

Change = Callable[[pd.DataFrame], pd.DataFrame]
MAIN = ("proxies=[params,snip,swap,rank_log]", "ensemble.proxies=[params,snip]", "executor=local")
AGAIN = ("job=rerun", f"run={RESULT}/run.json", "truth.path=truth.csv", "executor=local")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result of two runs: the second adds a seed and a proxy under the same conditions."""
    folder = tmp_path_factory.mktemp("results")
    write_truth(folder)
    assert call(folder, *MAIN, "seed=0") == 0
    assert call(folder, "seed=1", "proxies=[params,snip]", "executor=local") == 0
    return folder


@pytest.fixture
def copied(results: Path, tmp_path: Path) -> Path:
    return shutil.copytree(results, tmp_path / "copy")


def changed(folder: Path, change: Change) -> None:
    """Replaces the stored scores by others, with a record that goes with them."""
    old = read_record(folder)
    table = change(pd.read_parquet(folder / "scores.parquet"))
    with replacing(folder) as fresh:
        table.to_parquet(fresh / "scores.parquet", index=False)
        record.write(fresh, {k: v for k, v in old.items() if k != "files"})


def test_a_result_of_several_runs_is_made_again(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_record(copied / RESULT)
    assert call(copied, *AGAIN) == 0
    said = capsys.readouterr().out
    # Four architectures, two seeds, params, snip, swap and rank_log; seed 1 lacked the last two.
    assert "All 24 values are equal." in said
    assert "Conditions differ" not in said
    assert "Results:" not in said
    assert "Heat map:" not in said, "of what is not kept"
    assert "Next" not in said
    assert read_record(copied / RESULT) == before
    assert {path.name for path in copied.iterdir()} == {"truth.csv", "results"}


def test_fewer_architectures_are_the_first_of_the_stored(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Ensembles rank among those that are there.
    changed(copied / RESULT, lambda table: table[table.proxy != "rank_log"])
    run_json = copied / RESULT / "run.json"
    content = json.loads(run_json.read_text())
    content["resolved"]["proxies"].remove("rank_log")
    run_json.write_text(json.dumps(content))
    assert call(copied, *AGAIN, "n=3", "keep=again") == 0
    said = capsys.readouterr().out
    assert "All 15 values are equal. The other 5 stored values were not made again." in said
    assert "Results: again/main/nb201/digits" in said
    kept = pd.read_parquet(copied / "again/main/nb201/digits/scores.parquet")
    assert len(kept) == 3 * 2 * 3


def test_another_value_is_told(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table.index[table.proxy == "snip"][0], "value"] *= 1.25
        return table

    changed(copied / RESULT, change)
    assert call(copied, *AGAIN) == 4
    out, err = capsys.readouterr()
    assert "23 of 24 values are equal; the others differ by at most 0.2 of their size." in out
    assert "not reproduced" in err


def test_another_definition_is_named(
    copied: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    other = replace(proxies.get("params"), definition="2", function=lambda layers: 1.0)
    monkeypatch.setitem(proxies._items, "params", other)
    assert call(copied, *AGAIN) == 4
    said = capsys.readouterr().out
    assert "Conditions differ: proxies.params.definition was 1, is 2." in said


def edited(key: str, value: object) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        content = json.loads((folder / "run.json").read_text())
        content["config"][key] = value
        (folder / "run.json").write_text(json.dumps(content))

    return edit


@pytest.mark.parametrize(
    ("edit", "words", "said"),
    [
        (None, ("run=",), "needs run="),
        (None, ("run=nowhere",), "cannot be read"),
        (None, ("truth.path=null",), "name it: truth.path=FILE"),
        (None, ("keep=results",), "holds the result itself"),
        (edited("of", "main"), (), "reads stored results"),
        (edited("colour", "red"), (), "has no key 'colour'"),
        (edited("zen", {"rounds": 3}), (), "another version of the harness"),
        (edited("job", "nothing"), (), "Unknown job 'nothing'"),
        (edited("space", "nb2001"), (), "nb2001"),
    ],
)
def test_what_cannot_be_made_again(
    copied: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[Path], None] | None,
    words: tuple[str, ...],
    said: str,
) -> None:
    if edit is not None:
        edit(copied / RESULT)
    assert call(copied, *AGAIN, *words) == 1
    assert said in capsys.readouterr().err


def folders(tmp_path: Path, old: pd.DataFrame, new: pd.DataFrame, name: str) -> tuple[Path, Path]:
    made = []
    for place, table in (("old", old), ("new", new)):
        with replacing(tmp_path / place) as fresh:
            write = table.to_csv if name.endswith("csv") else table.to_parquet
            write(fresh / name, index=False)
            (fresh / "picture.png").write_bytes(place.encode())
            record.write(fresh, {})
        made.append(tmp_path / place)
    return made[0], made[1]


@pytest.mark.parametrize("name", ["steps.csv", "steps.parquet"])
def test_other_tables_are_compared_row_by_row(tmp_path: Path, name: str) -> None:
    old = pd.DataFrame(
        {"edge": [0, 1, 2], "best": ["a", "b", None], "score": [1.0, math.nan, 4.0], "seconds": 1.0}
    )
    new = old.assign(seconds=2.0, score=[1.0, math.nan, 5.0])
    (found,) = compare(*folders(tmp_path, old, new, name))
    assert found == Compared(name, 9, 9, 8, pytest.approx(0.2))
    assert not reproduced([found])
    (longer,) = compare(*folders(tmp_path, old, new[:2], name))
    assert (longer.compared, longer.equal, longer.difference) == (6, 6, 0.0)
    assert verdict([longer]).endswith("The other 3 stored values were not made again.")
    (renamed,) = compare(*folders(tmp_path, old, old.assign(best=["a", "c", None]), name))
    assert math.isinf(renamed.difference)
    assert "only one is a number" in verdict([renamed])


def test_a_number_against_none_and_rounding() -> None:
    from harness.results import equality

    differences = equality._differences(
        pd.Series([1.0, math.nan, 0.0, math.inf, 1e-30, -2.0]),
        pd.Series([1.0, 3.0, -0.0, math.inf, 1e-30 * (1 + 1e-7), 2.0]),
    )
    np.testing.assert_allclose(differences, [0, math.inf, 0, 0, 1e-7, 2], rtol=1e-3)
    assert reproduced([Compared("x", 2, 2, 1, 1e-5)])
    assert not reproduced([Compared("x", 2, 0, 0, 0.0)])
    assert verdict([Compared("x", 2, 0, 0, 0.0)]) == "No value was made again."

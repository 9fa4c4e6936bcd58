"""A result folder is one thing: whole, of one run, and what its record says it is."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.core.errors import DataError, HarnessError
from harness.results import folder as folders
from harness.results.folder import checked, read_record, refuse_other_conditions, replacing
from harness.results.layout import RECORD

ROOT = Path(__file__).resolve().parent.parent

# Writes results named A or B for ever: every file holds the name, the record too.
WRITER = """
import json, sys
from pathlib import Path
from harness.results.folder import replacing
path, name = Path(sys.argv[1]), sys.argv[2]
while True:
    with replacing(path) as fresh:
        for i in range(4):
            (fresh / f"table{i}.csv").write_text(name * 2000)
        (fresh / "run.json").write_text(json.dumps({"name": name}))
"""


def write(path: Path, name: str = "A", **files: str) -> None:
    with replacing(path) as fresh:
        for file, text in files.items():
            (fresh / f"{file}.csv").write_text(text)
        (fresh / RECORD).write_text(json.dumps({"name": name}))


def start_writer(path: Path, name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(path), name]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})


def assert_whole(path: Path) -> None:
    """Whatever is there is of one writer, with the checksums that the record says."""
    record = json.loads((path / RECORD).read_text())
    assert set(record["files"]) == {f"table{i}.csv" for i in range(4)}
    for name in record["files"]:
        assert checked(path, name).read_text() == record["name"] * 2000


def test_a_new_result_takes_the_place_of_the_old_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "r", table="1", old="1")
    write(tmp_path / "r", table="2")
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == [RECORD, "table.csv"]
    assert checked(tmp_path / "r", "table.csv").read_text() == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_a_run_that_fails_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "r", table="1")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "r") as fresh:
        (fresh / "table.csv").write_text("2")
        (fresh / RECORD).write_text("{}")
        raise ZeroDivisionError
    assert checked(tmp_path / "r", "table.csv").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_what_is_no_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "result").write_text("mine")
    with pytest.raises(HarnessError, match="is no folder"):
        write(tmp_path / "result")
    assert (tmp_path / "result").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_what_somebody_else_keeps_there_stays(tmp_path: Path) -> None:
    write(tmp_path / "r", table="1")
    (tmp_path / "r" / "notes.txt").write_text("mine")
    (tmp_path / "r" / "plots").mkdir()
    (tmp_path / "r" / "plots" / "own.png").write_text("mine too")
    write(tmp_path / "r", other="2")
    assert (tmp_path / "r" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "r" / "plots" / "own.png").read_text() == "mine too"
    assert not (tmp_path / "r" / "table.csv").exists()
    assert set(read_record(tmp_path / "r")["files"]) == {"other.csv"}


@pytest.mark.parametrize("exchange", [True, False], ids=["exchanged", "renamed twice"])
def test_two_runs_at_once_and_kills_never_mix(
    tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the system cannot exchange two folders; then a kill may leave none."""
    path = tmp_path / "r"
    write(path, "A", **{f"table{i}": "A" * 2000 for i in range(4)})
    if not exchange:
        monkeypatch.setattr(folders, "_renamed_both", lambda *_: False)
        for i in range(20):
            name = "AB"[i % 2]
            write(path, name, **{f"table{j}": name * 2000 for j in range(4)})
            assert_whole(path)
        return
    chance = random.Random(0)
    for _ in range(4):
        writers = [start_writer(path, name) for name in "AB"]
        time.sleep(0.6 + chance.random() / 2)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            assert writer.wait() == -signal.SIGKILL  # neither stumbled over the other
        assert_whole(path)


def test_no_flipped_bit_passes(tmp_path: Path) -> None:
    write(tmp_path / "r", table="key,value\na,1\n" * 50)
    path = tmp_path / "r" / "table.csv"
    content = path.read_bytes()
    chance = random.Random(0)
    for _ in range(50):
        place, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        with pytest.raises(DataError, match=r"changed or damaged; restore it or make the result"):
            checked(tmp_path / "r", "table.csv")
    path.write_bytes(content)
    checked(tmp_path / "r", "table.csv")


def test_what_is_missing_or_unknown_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run.json cannot be read .*make the result again"):
        read_record(tmp_path)
    write(tmp_path / "r", table="1")
    (tmp_path / "r" / "stray.csv").write_text("2")
    with pytest.raises(DataError, match=r"does not name stray.csv"):
        checked(tmp_path / "r", "stray.csv")
    (tmp_path / "r" / "table.csv").unlink()
    with pytest.raises(DataError, match=r"table.csv cannot be read"):
        checked(tmp_path / "r", "table.csv")
    (tmp_path / "r" / RECORD).write_text("[1]")
    with pytest.raises(DataError, match=r"it is no JSON object"):
        read_record(tmp_path / "r")


CONDITIONS = {
    "batch_size": 64,
    "inputs": {"source": "cifar10_train"},
    "proxies": {"swap": {"settings": {"swap": {"images": 16}}}},
}


def keep(path: Path) -> None:
    with replacing(path) as fresh:
        (fresh / RECORD).write_text(json.dumps({"conditions": CONDITIONS}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 32}, "batch_size=64, now 32"),
        ({"inputs": {"source": "cifar10_train", "crop": 15}}, "inputs.crop=None, now 15"),
        ({"inputs": {}}, "inputs.source=cifar10_train, now None"),
        ({"proxies": {"swap": {"settings": {"swap": {"images": 8}}}}}, "(swap.images=16, now 8)"),
    ],
)
def test_another_condition_is_refused_in_one_sentence(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    keep(tmp_path / "r")
    with pytest.raises(HarnessError) as error:
        refuse_other_conditions(tmp_path / "r", CONDITIONS | change, overwrite=False)
    assert said in str(error.value)
    assert "study=NAME" in str(error.value)
    assert "overwrite=true" in str(error.value)
    assert refuse_other_conditions(tmp_path / "r", change, overwrite=True) is None


def test_other_proxies_add_up(tmp_path: Path) -> None:
    assert refuse_other_conditions(tmp_path / "r", CONDITIONS, overwrite=False) is None
    keep(tmp_path / "r")
    other = CONDITIONS | {"proxies": {"params": {"settings": {}}}}
    assert refuse_other_conditions(tmp_path / "r", other, overwrite=False) is not None


def test_a_result_without_conditions_is_not_added_to(tmp_path: Path) -> None:
    write(tmp_path / "r", table="1")
    with pytest.raises(HarnessError, match=r"does not say under which conditions"):
        refuse_other_conditions(tmp_path / "r", CONDITIONS, overwrite=False)

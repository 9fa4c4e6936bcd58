"""Temporary files and folders of killed runs go when nobody owns them; all others stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import RESULT, SHARDS, call, start, write_truth

import harness
from harness.core import temporary
from harness.core.files import atomic

WRITERS = {
    "file": "with atomic(Path('table.parquet')) as made: made.write_text('x'); die()",
    "folder": "with replacing(Path('result')) as made: (made / 'x').write_text('x'); die()",
    "file in it": "with replacing(Path('result')) as made, atomic(made / 'x') as x: die()",
    "api": "with owned_folder(Path('kept')): die()",
}
DIES = """
import os
from pathlib import Path
from harness.core.files import atomic
from harness.core.temporary import owned_folder
from harness.results.folder import replacing
die = lambda: os.kill(os.getpid(), 9)
"""


def killed(folder: Path, writer: str) -> None:
    words = [sys.executable, "-c", f"{DIES}\n{WRITERS[writer]}"]
    assert subprocess.run(words, cwd=folder, check=False).returncode == -signal.SIGKILL


@pytest.fixture(autouse=True)
def looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "_swept", set())


@pytest.mark.parametrize("writer", WRITERS)
def test_the_next_to_write_there_removes_what_a_killed_one_left(
    tmp_path: Path, writer: str
) -> None:
    killed(tmp_path, writer)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    with atomic(tmp_path / "other.csv") as made:
        made.write_text("x")
    assert os.listdir(tmp_path) == ["other.csv"]


def test_what_has_an_owner_or_is_somebody_elses_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = temporary._start(os.getppid())
    mine, machine = temporary.owned(tmp_path / "a.csv"), temporary._machine()
    of_parent = f".b.{machine}-{os.getppid()}-{parent}-01234567.csv"
    monkeypatch.setattr(temporary, "_machine", lambda: "0123abcd")
    elsewhere = temporary.owned(tmp_path / "c.csv")
    monkeypatch.undo()
    kept = [mine.name, of_parent, elsewhere.name, ".hidden", ".d.0123456789abcdef.csv", "e.csv"]
    gone = [
        f".f.{machine}-{os.getppid()}-{parent + 1}-01234567.csv",  # the number was given anew
        f".f.{machine}-{2**22 + 1}-5-01234567.csv",  # above the largest that Linux gives
        f".f.{machine}-{10**30}-5-01234567",
    ]
    for name in [*kept, *gone]:
        (tmp_path / name).touch()
    (tmp_path / gone[2]).unlink()
    (tmp_path / gone[2]).symlink_to(tmp_path / "e.csv")
    temporary.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)


def test_a_folder_that_cannot_be_read_is_left(tmp_path: Path) -> None:
    temporary.sweep(tmp_path / "nowhere")


def test_a_run_leaves_no_trace_of_killed_ones(tmp_path: Path) -> None:
    """Killed at any moment: of a second start, nothing but finished files is there."""
    write_truth(tmp_path, n=4)
    work = ["n=3", "seed=0..2", "proxies=[params]", "executor=local"]
    places = [tmp_path / SHARDS, (tmp_path / RESULT).parent]
    for place, writer in zip(places, ("file", "folder"), strict=True):
        place.mkdir(parents=True)
        killed(place, writer)
        assert [name for name in os.listdir(place) if name.startswith(".")]
    _, err = start(tmp_path, *work).communicate(timeout=120)
    assert (tmp_path / RESULT / "run.json").exists(), err
    for place in places:
        assert not [name for name in os.listdir(place) if name.startswith(".")]
    killed(places[1], "folder")  # a run that has nothing to add sweeps too
    assert call(tmp_path, *work) == 0
    assert not [name for name in os.listdir(places[1]) if name.startswith(".")]


def test_there_is_one_maker_of_temporary_names() -> None:
    package = Path(harness.__file__).parent
    named = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if any(f"import {word}" in path.read_text() for word in ("tempfile", "uuid"))
    }
    # The first asks for a file without a name.
    assert named == {"core/files.py", "core/temporary.py"}

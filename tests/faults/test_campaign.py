"""The campaign sees what it is to count, and a small one finds nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from campaign import files, forked
from campaign.tally import Tally, table
from commands import ROOT


def raises() -> None:
    raise SystemExit(3)


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda: 3, forked.DONE),
        (raises, forked.RAISED),
        (dies, forked.CRASHED),
        (lambda: time.sleep(60), forked.HUNG),
    ],
)
def test_a_fork_tells_how_it_ended(work: Callable[[], object], expected: str) -> None:
    ended, found = forked.once(work, 5 if expected == forked.HUNG else 60)
    assert ended == expected
    assert ended != forked.DONE or found == 3
    assert ended != forked.RAISED or "SystemExit: 3" in found


def test_what_came_before_a_crash_counts() -> None:
    def work():
        yield 1
        dies()

    assert list(forked.each(work, 60)) == [(forked.DONE, 1), (forked.CRASHED, None)]


def test_a_fault_is_counted_and_written_down(tmp_path: Path) -> None:
    tally = Tally("kills", tmp_path / "log")
    tally.add("done")
    tally.add("done", "shard 3", "rows lost")
    assert "| kills | 2 | 2 done | 1 | 0 | 0 | 0 | 0 |" in table([tally])
    assert (tmp_path / "log").read_text() == "kills: rows lost: shard 3\n"


def test_readings_are_compared_to_the_last_bit() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan]})
    assert files.equal({"x": (frame, [np.nan])}, {"x": (frame.copy(), [np.nan])})
    assert not files.equal(frame, frame.rename(columns={"a": "b"}))
    assert not files.equal(frame, frame + 1e-16 * 2**4)
    assert not files.equal(np.zeros(2), np.zeros(2) + 1e-300)
    assert not files.equal([1], [1.0])


@pytest.mark.slow
def test_a_small_campaign_finds_nothing(tmp_path: Path) -> None:
    places = (ROOT, ROOT / "tests", ROOT / "tests" / "faults")
    counts = ["kills=2", "executors=local", "lines=4", "processes=1", "calls=20", "flips=100"]
    done = subprocess.run(
        [sys.executable, "-m", "campaign", *counts, f"log={tmp_path / 'log'}"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))},
        capture_output=True,
        text=True,
        check=False,
    )
    found = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""
    assert (done.returncode, found) == (0, ""), done.stderr

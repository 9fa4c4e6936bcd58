"""Whole runs whose worker is killed: all but its shard is kept, and the next start ends it."""

import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from commands import RESULT, SHARDS, call, start, write_truth

pytestmark = pytest.mark.slow  # several runs of the command line, each starts processes

WORK = ["n=3", "seed=0..7", "proxies=[params,synflow,zen]"]
# How the command line of a worker at work looks, what may be lost at most, and what is told.
WORKERS = {
    "processes": (["executor.workers=2"], "spawn_main", 7, "Up to .* of 8 shards are missing"),
    "ray": (["executor.workers=2", "executor.retries=0"], "ray::_work", 1, "Up to 1 of 8 shards"),
    "slurm": (
        ["executor.cluster=local", "executor.workers=2", "executor.shards=4"],
        "submitit.core._submit",
        4,
        "Up to 4 of 8 shards are missing: 1 of 2 array tasks ended early",
    ),
}


def descendants(pid: int) -> dict[int, str]:
    """Returns pid -> command line of all processes that a process has started."""
    found = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
                found |= descendants(child)
            except OSError:  # has ended meanwhile
                continue
    return found


def shards(folder: Path) -> set[str]:
    return {path.name for path in (folder / SHARDS).glob("[!.]*.parquet")}


def kill_a_worker(run: int, title: str) -> None:
    """Kills one worker that is at work; stopped first, it cannot finish in between."""
    while True:
        for pid, command in descendants(run).items():
            if title in command:
                os.kill(pid, signal.SIGSTOP)
                if title in descendants(run).get(pid, ""):
                    os.kill(pid, signal.SIGKILL)
                    return
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's workers give way to all others, which on a busy machine means that they starve."""
    monkeypatch.setenv("RAY_worker_niceness", "0")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("uninterrupted")
    write_truth(folder)
    assert call(folder, *WORK, "executor=local") == 0
    return pd.read_parquet(folder / RESULT / "scores.parquet")


@pytest.mark.parametrize("executor", WORKERS)
def test_the_next_start_computes_only_what_a_killed_worker_lost(
    tmp_path: Path, uninterrupted: pd.DataFrame, executor: str
) -> None:
    if executor != "processes":
        pytest.importorskip({"ray": "ray", "slurm": "submitit"}[executor])
    settings, title, at_most, message = WORKERS[executor]
    write_truth(tmp_path)
    run = start(tmp_path, *WORK, f"executor={executor}", *settings)
    while not shards(tmp_path):
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    kill_a_worker(run.pid, title)
    _, err = run.communicate(timeout=300)
    assert run.returncode == 1, err
    assert pd.Series(err).str.contains(message).all(), err
    assert "Start the same command again" in err
    kept = shards(tmp_path)
    assert 8 - at_most <= len(kept) < 8

    assert call(tmp_path, *WORK, "executor=local") == 0
    assert kept < shards(tmp_path)
    assert len(shards(tmp_path)) == 8
    scores = pd.read_parquet(tmp_path / RESULT / "scores.parquet")
    drop = {"columns": "seconds"}
    pd.testing.assert_frame_equal(scores.drop(**drop), uninterrupted.drop(**drop))


def test_ray_replaces_a_killed_worker_in_the_same_run(
    tmp_path: Path, uninterrupted: pd.DataFrame
) -> None:
    pytest.importorskip("ray")
    write_truth(tmp_path)
    run = start(tmp_path, *WORK, "executor=ray", "executor.workers=2")
    while not shards(tmp_path):
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    kill_a_worker(run.pid, "ray::_work")
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, out + err
    scores = pd.read_parquet(tmp_path / RESULT / "scores.parquet")
    drop = {"columns": "seconds"}
    pd.testing.assert_frame_equal(scores.drop(**drop), uninterrupted.drop(**drop))


def test_no_worker_of_ray_outlives_a_killed_run(tmp_path: Path) -> None:
    """Ray's own agents, which are idle, may take minutes to notice."""
    pytest.importorskip("ray")
    write_truth(tmp_path)
    run = start(tmp_path, *WORK, "executor=ray", "executor.workers=2")
    while not shards(tmp_path):
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    workers = [pid for pid, command in descendants(run.pid).items() if "ray::_work" in command]
    assert workers
    run.kill()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
        assert time.monotonic() < deadline, workers
        time.sleep(0.1)

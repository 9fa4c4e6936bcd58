"""Kills at random moments under every executor: a run goes on, and ends with the same scores."""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
from commands import RESULT, SHARDS, call, start, write_truth
from test_executors_killed import descendants

from campaign import forked
from campaign.tally import Tally
from harness.core import temporary

WORK = ["n=6", "seed=0..19", "proxies=[params,snip,swap]"]
EXECUTORS = {
    "local": ["executor=local"],
    "processes": ["executor=processes", "executor.workers=2"],
    "ray": ["executor=ray", "executor.workers=2", "executor.retries=0"],
    "slurm": [
        *("executor=slurm", "executor.cluster=local", "executor.workers=2", "executor.shards=5"),
        "executor.retries=0",
    ],
}
WAIT = 1200  # seconds for what takes seconds; the machine may be busy


def run(tally: Tally, counts: dict[str, int], draw: random.Random) -> None:
    """Kills so many runs, or workers of them, under each executor.

    A run is started in the same folder again after each kill; one that comes to its end is compared
    with a run that nobody killed, and a new folder is begun.
    """
    with tempfile.TemporaryDirectory() as made:
        whole = Path(made, "whole")
        whole.mkdir()
        write_truth(whole)
        assert forked.once(lambda: _quietly(whole, *WORK, "executor=local"), WAIT)[1] == 0
        expected = _scores(whole)
        for executor, count in counts.items():
            campaign = _Campaign(tally, executor, draw, expected, Path(made))
            while campaign.killed < count:
                campaign.once()
            campaign.to_the_end()


class _Fork:
    """A run in a fork of this process, which has imported what a run needs; as ``Popen`` has it."""

    def __init__(self, folder: Path, *line: str) -> None:
        self.pid = os.fork()
        self._status: int | None = None
        if self.pid == 0:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os._exit(_quietly(folder, *line))

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status

    def communicate(self) -> tuple[str, str]:
        forked.until(lambda: self.poll() is not None, WAIT)
        return "", ""


class _Campaign:
    """The kills under one executor, in one folder after the other."""

    def __init__(
        self, tally: Tally, executor: str, draw: random.Random, expected: pd.DataFrame, made: Path
    ) -> None:
        self.tally, self.executor, self.draw, self.expected = tally, executor, draw, expected
        self.killed, self.folder = 0, made / executor
        self._begin()

    def _begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        write_truth(self.folder)

    def once(self) -> None:
        """Starts a run and kills it, or a worker, after a random number of further shards."""
        before = _shards(self.folder)
        further = self.draw.randint(0, 4)
        run = (_Fork if self.executor == "local" else start)(
            self.folder, *WORK, *EXECUTORS[self.executor]
        )
        aim = "worker" if self.executor != "local" and self.draw.random() < 0.5 else "run"

        def reached() -> bool:
            return run.poll() is not None or len(_shards(self.folder)) >= len(before) + further

        if not forked.until(reached, WAIT):
            self.tally.fault("hangs", f"{self.executor}: no shard after {WAIT} s")
        time.sleep(self.draw.random() * 2 if further == 0 else self.draw.random() * 0.3)
        if run.poll() is not None:
            self._compare(run.communicate()[1], run.poll())
            self._begin()
            return
        started = descendants(run.pid)
        victims = [pid for pid, words in started.items() if _is_worker(words)]
        victim = self.draw.choice(victims) if aim == "worker" and victims else run.pid
        _kill(victim)
        if victim != run.pid and not forked.until(lambda: run.poll() is not None, WAIT):
            self.tally.fault("hangs", f"{self.executor}: a run whose worker was killed goes on")
        _kill(run.pid)
        err = run.communicate()[1]
        if "Traceback" in err and self.executor != "slurm":
            self.tally.fault("tracebacks", f"{self.executor}: {err[-1500:]}")
        if not forked.until(lambda: not _alive(started), 120):
            for pid in started:
                _kill(pid)
        kept = _shards(self.folder)
        lost = before - kept
        self.killed += 1
        what = f"{self.executor}: {sorted(lost)}"
        self.tally.add(f"{self.executor}, {'run' if victim == run.pid else aim}", what,
                       "rows lost" if lost else "")  # fmt: skip

    def to_the_end(self) -> None:
        """Lets the last run end, and compares."""
        work = [*WORK, "executor=local"]
        _, status = forked.once(lambda: _quietly(self.folder, *work), WAIT)
        self._compare("", status)

    def _compare(self, err: str, status: object) -> None:
        if status != 0:
            self.tally.fault("tracebacks", f"{self.executor}: status {status}: {err[-1500:]}")
            return
        scores = _scores(self.folder)
        if len(scores) != len(self.expected):
            what = f"{self.executor}: {len(scores)} of {len(self.expected)}"
            self.tally.fault("rows lost", what)
        elif not scores.equals(self.expected):
            self.tally.fault("wrong numbers", f"{self.executor}: another score")
        left = [p for p in self.folder.rglob(".*") if temporary._OWNED.match(p.name)]
        if left:
            self.tally.fault("left behind", f"{self.executor}: {left}")


def _quietly(folder: Path, *line: str) -> int:
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - of a fork
    return call(folder, *line)


def _scores(folder: Path) -> pd.DataFrame:
    table = pd.read_parquet(folder / RESULT / "scores.parquet")
    return table[["seed", "draw", "key", "proxy", "value", "status", "truth"]]


def _shards(folder: Path) -> set[str]:
    return {path.name for path in (folder / SHARDS).glob("[!.]*.parquet")}


def _is_worker(words: str) -> bool:
    return any(one in words for one in ("spawn_main", "ray::_work", "submitit.core._submit"))


def _alive(pids: dict[int, str]) -> bool:
    return any(
        Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()
        for pid, words in pids.items()
        if _is_worker(words)
    )


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

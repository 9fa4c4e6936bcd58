"""Ctrl-C and SIGTERM under every executor: answered at once, ended within seconds, nothing left."""

import os
import signal
import time
from pathlib import Path

import pytest
from commands import SHARDS, call, start, write_truth
from test_executors_killed import descendants

WORK = ["n=3", "seed=0..30", "proxies=[synflow,ntk]"]
EXECUTORS = {
    "local": [],
    "processes": ["executor.workers=2"],
    "ray": ["executor.workers=2"],
    "slurm": ["executor.cluster=local", "executor.workers=2", "executor.shards=4"],
}
WAIT = 60  # seconds; a run without an answer would go on for minutes


def alive(pids: set[int]) -> set[int]:
    """Returns the processes that still run; one that only waits to be collected does not."""

    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return set(filter(runs, pids))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_signal_ends_a_run_and_all_it_started(
    tmp_path: Path, executor: str, number: signal.Signals
) -> None:
    if executor in ("ray", "slurm"):
        pytest.importorskip({"ray": "ray", "slurm": "submitit"}[executor])
    write_truth(tmp_path)
    run = start(tmp_path, *WORK, f"executor={executor}", *EXECUTORS[executor])
    while not list((tmp_path / SHARDS).glob("[!.]*.parquet")):
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    started = set(descendants(run.pid))
    os.kill(run.pid, number)  # to the run alone, as a scheduler does
    _, err = run.communicate(timeout=WAIT)
    assert run.returncode == 128 + number
    assert "Stopping…\n" in err
    assert "Stopped; what is finished is kept. Run the same command again.\n" in err
    if executor != "slurm":  # submitit's local cluster ends its own processes with a traceback
        assert "Traceback" not in err
    until = time.monotonic() + WAIT
    while alive(started) and time.monotonic() < until:
        time.sleep(0.1)
    assert alive(started) == set()
    assert call(tmp_path, *WORK[:1], "seed=0", WORK[2], "executor=local") == 0

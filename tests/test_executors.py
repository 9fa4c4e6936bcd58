"""Executors map a function over items and survive whatever happens to their workers."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from harness.__main__ import config_folder
from harness.config import parse_seeds
from harness.errors import HarnessError
from harness.executors import ExecutorSettings, executors

PAIR = ExecutorSettings("processes", workers=2)


def test_local_works_here_one_item_after_the_other() -> None:
    done: list[int] = []
    results = executors.get("local")(done.append, [3, 1, 2], ExecutorSettings("local"))
    assert done == []
    next(results)
    assert done == [3]
    assert list(results) == [None, None]
    assert done == [3, 1, 2]


def test_one_worker_needs_no_process() -> None:
    here = executors.get("processes")(
        lambda _: (os.getpid(), threading.get_ident()), [1, 2], ExecutorSettings(workers=1)
    )
    assert set(here) == {(os.getpid(), threading.get_ident())}
    assert list(executors.get("processes")(parse_seeds, [], PAIR)) == []


def test_processes_yield_results_and_a_workers_error_as_it_is() -> None:
    items = [*map(str, range(20)), "x"]
    results = []
    with pytest.raises(HarnessError, match="seed=x names no seeds"):
        for result in executors.get("processes")(parse_seeds, items, PAIR):
            results.append(result)
    found = [seed for (seed,) in results]
    assert len(found) == len(set(found)) > 10
    assert set(found) <= set(range(20))


def test_a_killed_worker_is_one_sentence() -> None:
    with pytest.raises(
        HarnessError, match=r"Up to 3 of 3 shards .*worker process was killed.*Start the same"
    ):
        list(executors.get("processes")(os._exit, [9, 9, 9], PAIR))


SLEEPY = """
import time
from harness.executors import ExecutorSettings, executors
run = executors.get("processes")
for _ in run(time.sleep, [0.01] + 9 * [60], ExecutorSettings("processes", workers=2)):
    print("one is done", flush=True)
"""


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_run(by: signal.Signals) -> None:
    """Only when the last process is gone does the pipe that all of them inherit close."""
    run = subprocess.Popen(
        [sys.executable, "-c", SLEEPY],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "one is done\n"
    if by == signal.SIGKILL:
        run.kill()
    else:
        os.killpg(run.pid, by)  # as Ctrl-C does
    run.communicate(timeout=30)
    assert run.returncode == -by


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(
        HarnessError, match=r"Unknown executor 'proceses'\. Did you mean 'processes'"
    ):
        ExecutorSettings("proceses")
    with pytest.raises(HarnessError, match=r"executor\.workers=-1"):
        ExecutorSettings(workers=-1)
    with pytest.raises(HarnessError, match=r"executor\.threads=-2"):
        ExecutorSettings(threads=-2)
    assert ExecutorSettings(workers=0).width == len(os.sched_getaffinity(0))
    assert ExecutorSettings(workers=3).width == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gpus": 0.5, "name": "slurm"}, r"executor\.gpus=0\.5 must be a whole number"),
        ({"gpus": 1.5, "name": "ray"}, r"executor\.gpus=1\.5 must be a whole number"),
        ({"gpus": -1}, r"executor\.gpus=-1 must be at least 0"),
        ({"retries": -1}, r"executor\.retries=-1 must be at least 0"),
        ({"shards": 0}, r"executor\.shards=0 must be at least 1"),
        ({"cluster": "slrum"}, r"Unknown executor\.cluster 'slrum'\. Did you mean 'slurm'"),
    ],
)
def test_cluster_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        ExecutorSettings(**settings)


@pytest.mark.parametrize("name", ["local", "processes", "ray", "slurm"])
def test_each_choice_of_the_command_line_is_the_executor_of_that_name(name: str) -> None:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        values = compose("config", [f"executor={name}", "results=elsewhere"])
    settings = OmegaConf.to_container(values.executor, resolve=True)
    assert isinstance(settings, dict)
    executor = ExecutorSettings(**{str(key): value for key, value in settings.items()})
    assert executor.name == name
    assert executor.threads == executor.cores == 1
    assert executor.logs == ("elsewhere/.slurm" if name == "slurm" else "results/.slurm")

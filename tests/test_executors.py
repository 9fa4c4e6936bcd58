"""Executors map a function over items and survive whatever happens to their workers."""

import itertools
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness.config import Config, parse_seeds
from harness.core.errors import HarnessError
from harness.executors import processes as of_processes
from harness.executors import progress, worker
from harness.executors.executor import ExecutorSettings, LostWorkerError, execute, executors
from harness.executors.processes import ProcessSettings
from harness.executors.ray import RaySettings
from harness.executors.slurm import SlurmSettings
from harness.scoring.conditions import is_lost

PAIR = ProcessSettings("processes", workers=2)


def test_local_works_here_one_item_after_the_other() -> None:
    done: list[int] = []
    results = execute(done.append, [3, 1, 2], ExecutorSettings("local"))
    assert done == []
    next(results)
    assert done == [3]
    assert list(results) == [None, None]
    assert done == [3, 1, 2]


def test_one_worker_needs_no_process() -> None:
    alone = ProcessSettings("processes", workers=1)
    here = execute(lambda _: (os.getpid(), threading.get_ident()), [1, 2], alone)
    assert set(here) == {(os.getpid(), threading.get_ident())}
    assert list(execute(parse_seeds, [], PAIR)) == []


def test_processes_yield_results_and_a_workers_error_as_it_is() -> None:
    items = [*map(str, range(20)), "x"]
    results = []
    with pytest.raises(HarnessError, match="seed=x names no seeds"):
        for result in execute(parse_seeds, items, PAIR):
            results.append(result)
    found = [seed for (seed,) in results]
    assert len(found) == len(set(found)) > 10
    assert set(found) <= set(range(20))


def test_a_killed_worker_is_one_sentence() -> None:
    with pytest.raises(
        HarnessError, match=r"Up to 3 of 3 shards .*worker process was killed.*Start the same"
    ):
        list(execute(os._exit, [9, 9, 9], PAIR))


def test_workers_are_dealt_to_the_gpus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One per GPU unless the user wants more, and none is given what others were."""
    monkeypatch.setattr(of_processes, "visible_gpus", lambda: ["3", "5", "6"])

    def at(device: str, **settings: int) -> tuple[int, int]:
        found = ProcessSettings("processes", **settings).at(device, Path("results"))
        return found.workers, found.gpus

    assert at("cpu") == (0, 0)
    assert at("cuda") == (3, 3)
    assert at("cuda", gpus=2) == (2, 2)
    assert at("cuda", workers=4) == (4, 3)
    assert at("cuda", per_gpu=4) == (12, 3)
    assert at("cuda", per_gpu=4, workers=2) == (2, 3)
    assert at("cuda:1") == (1, 0)
    assert at("cuda:1", per_gpu=2) == (2, 0)
    four = ProcessSettings("processes", workers=4).at("cuda", Path("results"))
    seen = list(execute(os.getenv, 40 * ["CUDA_VISIBLE_DEVICES"], four))
    assert set(seen) <= {"3", "5", "6"}
    monkeypatch.setattr(of_processes, "visible_gpus", lambda: [])
    assert at("cuda") == (1, 0)  # which says that there is none


def lose_worker(item: int) -> tuple[int, ...]:
    """Items of 100 and more lose the worker after their first half, as a broken GPU does."""
    if item in lost_here:
        raise AssertionError("a lost worker was given more")
    lost_here.extend(range(10) if item >= 100 else ())
    if item >= 100:
        raise LostWorkerError(((item, os.getpid()),), item - 100, "a kernel failed")
    return item, os.getpid()


lost_here: list[int] = []


def test_a_lost_worker_is_replaced_and_the_run_goes_on() -> None:
    found = list(execute(lose_worker, [101, 1, 2, 103, 4, 200, 5, 6], PAIR))
    assert sorted(item for item, _ in found) == [0, 1, 1, 2, 3, 4, 5, 6, 100, 101, 103, 200]
    assert len({pid for _, pid in found}) > 2


def test_without_another_process_a_lost_worker_is_one_sentence() -> None:
    with pytest.raises(HarnessError, match=r"a kernel failed.*kept.*Start the same command"):
        list(execute(lose_worker, [101], ExecutorSettings("local")))
    lost_here.clear()


def test_workers_of_a_gpu_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight of 80 GiB may take 9 each: a tenth is CUDA's."""
    shares: list[float] = []
    card = SimpleNamespace(total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", shares.append)
    of_processes._limit_memory(8)
    of_processes._limit_memory(100)
    assert shares == [9 / 80, 0.0]


def test_a_gpu_that_answers_no_longer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, RuntimeError("CUDA error: an illegal memory access was encountered")])

    def synchronize(_: str) -> None:
        if (error := next(answers)) is not None:
            raise error

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    assert [is_lost(name) for name in ("cpu", "cuda", "cuda:1")] == [False, False, True]


def test_clusters_reserve_a_gpu_where_one_is_needed() -> None:
    for kind in (RaySettings, SlurmSettings):
        found = [kind().at(device, Path("far")).gpus for device in ("cpu", "cuda", "cuda:0")]
        assert found == [0, 1, 1]
        assert kind(gpus=2).at("cuda", Path("far")).gpus == 2
    assert SlurmSettings().at("cpu", Path("far")).logs == "far/.slurm"
    assert SlurmSettings(logs="mine").at("cpu", Path("far")).logs == "mine"
    slurm = Config(executor=ExecutorSettings("slurm"), device="cuda", results="far").executor
    assert slurm == SlurmSettings("slurm", gpus=1, logs="far/.slurm")


def test_a_file_gets_a_line_a_minute_instead_of_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = {"title": "work", "done": 3, "total": 10}
    local = ExecutorSettings("local")
    progress.run_shards(int, [2, 2, 3], local, **run)  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "")  # it took no minute

    clock = itertools.count(0, 40)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    progress.run_shards(int, [2, 2, 3], local, **run)  # type: ignore[arg-type]
    assert capsys.readouterr() == ("", "work: 7 of 10, 20.0 s each, 0:01:00 left\n")


SLEEPY = """
import time
from harness.executors.executor import execute
from harness.executors.processes import ProcessSettings
for _ in execute(time.sleep, [0.01] + 9 * [60], ProcessSettings("processes", workers=2)):
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
    with pytest.raises(HarnessError, match=r"executor\.workers=-1"):
        ExecutorSettings(workers=-1)
    with pytest.raises(HarnessError, match=r"executor\.threads=-2"):
        ExecutorSettings(threads=-2)
    assert ExecutorSettings(workers=0).width == len(os.sched_getaffinity(0))
    assert ExecutorSettings(workers=3).width == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (partial(RaySettings, gpus=1.5), r"executor\.gpus=1\.5 must be a whole number"),
        (
            partial(ProcessSettings, gpus=-1),
            r"executor\.gpus=-1 .* at least 0",
        ),
        (
            partial(ProcessSettings, per_gpu=0),
            r"executor\.per_gpu=0 .* at least 1",
        ),
        (
            partial(SlurmSettings, gpus=-1),
            r"executor\.gpus=-1 .* at least 0",
        ),
        (
            partial(RaySettings, retries=-1),
            r"executor\.retries=-1 .* at least 0",
        ),
        (
            partial(SlurmSettings, shards=0),
            r"executor\.shards=0 .* at least 1",
        ),
        (partial(SlurmSettings, cluster="slrum"), r"Unknown executor\.cluster 'slrum'\. Did"),
    ],
)
def test_cluster_settings_that_make_no_sense(
    settings: Callable[[], ExecutorSettings], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        settings()


def test_each_executor_has_its_name_and_reserves_one_core() -> None:
    assert {"local", "processes", "ray", "slurm"} <= set(executors)
    for one in executors.values():
        assert one.defaults.name == one.name
        assert one.defaults.threads == getattr(one.defaults, "cores", 1) == 1


MEMORY = """
import re, resource, torch
from pathlib import Path
from harness.executors import worker

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    x = torch.ones(2**24)  # 64 MiB, 16,384 pages
    y = x + x
    z = x * y
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

usual = min([faults() for _ in range(5)])
worker.keep_freed_memory()
kept = min([faults() for _ in range(20)])
few = held()
torch.ones(300 * 2**20)  # 1200 MiB
much = held()
worker.release_much_memory()
rest = held()
print(usual, kept, few, much, rest)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's malloc")
def test_a_worker_uses_freed_memory_again_but_does_not_hold_much() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", MEMORY], check=True, capture_output=True, text=True
    ).stdout
    usual, kept, few, much, rest = map(int, printed.split())
    assert kept < usual / 2
    assert much > few + 1000
    assert rest < few + 100


def test_the_users_own_process_keeps_its_way_with_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "keep_freed_memory", lambda: pytest.fail("it cannot be undone"))
    assert list(execute(str, [1, 2], executors.get("local").defaults)) == ["1", "2"]

"""Ray, with a cluster on this machine: lost workers are replaced and cost only their own work."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from commands import ROOT

from harness.config import parse_seeds
from harness.core.errors import HarnessError
from harness.executors.executor import execute
from harness.executors.ray import RaySettings

ray = pytest.importorskip("ray")
PAIR = RaySettings("ray", workers=2, retries=1)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Two cores that all tests share: starting them takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # Ray's 15 starves on a busy machine
        patch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def survive(item: tuple[Path, int]) -> int:
    """Notes that it ran; 3 kills its worker the first time and 5 every time."""
    folder, number = item
    tries = folder / str(number)
    with tries.open("a") as file:
        file.write("x")
    if number == 5 or (number == 3 and tries.stat().st_size == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def surroundings(name: str) -> tuple[int, str, int, str | None]:
    return os.getpid(), str(Path.cwd()), torch.get_num_threads(), os.environ.get(name)


def test_a_killed_worker_costs_its_own_work_only(tmp_path: Path) -> None:
    results = []
    message = r"^Up to 1 of 8 shards are missing: a Ray worker was killed .* 2 times over.*Start"
    with pytest.raises(HarnessError, match=message):
        for result in execute(survive, [(tmp_path, number) for number in range(8)], PAIR):
            results.append(result)
    assert sorted(results) == [0, 1, 2, 3, 4, 6, 7]
    tries = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert tries == {"0": 1, "1": 1, "2": 1, "3": 2, "4": 1, "5": 2, "6": 1, "7": 1}


def test_work_is_done_as_if_it_were_done_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_DATA", "elsewhere")
    ((pid, *found),) = execute(surroundings, ["HARNESS_DATA"], PAIR)
    assert pid != os.getpid()
    assert found == [str(tmp_path), 1, "elsewhere"]
    ((_, _, threads, _),) = execute(surroundings, ["HARNESS_DATA"], RaySettings("ray", threads=2))
    assert threads == 2
    assert list(execute(parse_seeds, [], PAIR)) == []


def test_an_error_arrives_as_it_is() -> None:
    with pytest.raises(HarnessError, match=r"^seed=x names no seeds"):
        list(execute(parse_seeds, ["1", "x", "2"], PAIR))
    assert ray.is_initialized()


@pytest.mark.parametrize("need", [{"cpus": 3}, {"gpus": 0.5}, {"threads": 3}])
def test_work_that_fits_nowhere_is_refused(need: dict[str, float]) -> None:
    with pytest.raises(HarnessError, match=r"fits on no machine of the Ray cluster.* 2 CPUs"):
        list(execute(parse_seeds, ["1"], RaySettings("ray", **need)))  # type: ignore[arg-type]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(HarnessError, match=r"pip install 'zero-cost-harness\[ray\]'"):
        list(execute(parse_seeds, ["1"], PAIR))

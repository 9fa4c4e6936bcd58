"""Slurm array tasks, here through submitit's local cluster; the real sbatch script is read."""

import os
import sys
from pathlib import Path

import pytest
from commands import ROOT

from harness.config import parse_seeds
from harness.core.errors import HarnessError
from harness.executors.executor import execute
from harness.executors.slurm import ArrayTask, SlurmSettings

submitit = pytest.importorskip("submitit")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(submitit.local.local.LocalJob, "_results_timeout_s", 0)


def here(**settings: int) -> SlurmSettings:
    return SlurmSettings("slurm", cluster="local", logs="logs", **settings)  # type: ignore[arg-type]


def test_each_task_does_several_items_and_leaves_its_output_in_the_logs(tmp_path: Path) -> None:
    found = execute(parse_seeds, list("0123456"), here(workers=3, shards=2))
    assert sorted(found) == [[seed] for seed in range(7)]
    assert len(list((tmp_path / "logs").glob("*_log.out"))) == 3
    assert list(execute(parse_seeds, [], here())) == []


def test_an_error_arrives_as_it_is() -> None:
    with pytest.raises(HarnessError, match=r"^seed=x names no seeds"):
        list(execute(parse_seeds, ["1", "x", "2"], here(workers=1, shards=3)))
    with pytest.raises(submitit.core.utils.FailedJobError, match="ZeroDivisionError"):
        list(execute((1).__truediv__, [1, 0], here(workers=1)))


def test_a_killed_task_costs_its_own_items_only() -> None:
    results = []
    message = r"^Up to 2 of 6 shards are missing: 1 of 3 array tasks ended early .*logs.*Start the"
    with pytest.raises(HarnessError, match=message):
        for result in execute(eval, DEADLY, here(workers=3, shards=2)):
            results.append(result)
    assert sorted(results) == [1, 2, 5, 6]


DEADLY = ["1", "2", "3", "__import__('os').kill(__import__('os').getpid(), 9)", "5", "6"]


def test_a_requeued_task_goes_on_where_it_was() -> None:
    """As submitit does it: the callable is pickled by the signal handler and started again."""
    done: list[str] = []

    def work(item: str) -> str:
        done.append(item)
        if item == "b" and done.count("b") == 1:
            raise InterruptedError
        return item

    batch = ArrayTask(work, threads=1)
    with pytest.raises(InterruptedError):
        batch(["a", "b", "c"])
    again = batch.checkpoint(["a", "b", "c"])
    assert again.result() == (["a", "b", "c"], None)
    assert done == ["a", "b", "b", "c"]


FAKE_SBATCH = """#!/bin/bash
cp "$1" "$0.script"
echo "Submitted batch job 7"
"""


def test_the_script_asks_for_what_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing starts: the results that the tasks would write are put in place."""
    for name, text in {"sbatch": FAKE_SBATCH, "srun": "#!/bin/bash\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    settings = SlurmSettings(
        "slurm", workers=4, cpus=2, gpus=1, retries=1, partition="short", minutes=90, memory_gb=6,
        shards=3, tasks=5, logs="logs", sbatch={"account": "lab"},
    )  # fmt: skip
    (tmp_path / "logs").mkdir()
    for task in range(5):
        with (tmp_path / f"logs/7_{task}_0_result.pkl").open("wb") as file:
            submitit.core.utils.cloudpickle.dump(("success", ([task], None)), file)
    assert sorted(execute(parse_seeds, list(range(17)), settings)) == [0, 1, 2, 3, 4]
    script = (tmp_path / "sbatch.script").read_text()
    for option in (
        "array=0-4%4",
        "partition=short",
        "time=90",
        "mem=6GB",
        "cpus-per-task=2",
        "gpus-per-node=1",
        "account=lab",
        "requeue",
        "job-name=zero-cost-harness",
    ):
        assert f"#SBATCH --{option}\n" in script


def test_where_there_is_no_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HarnessError, match=r"Slurm did not take the work .*srun.*sbatch"):
        list(execute(parse_seeds, ["1"], SlurmSettings("slurm", logs="logs")))
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(HarnessError, match=r"pip install 'zero-cost-harness\[slurm\]'"):
        list(execute(parse_seeds, ["1"], SlurmSettings("slurm", logs="logs")))

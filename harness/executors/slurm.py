"""Runs the work as a Slurm job array, through submitit.

The run waits for the array and shows what is done. The nodes must see the folder in which it was
started and the folder of the results. If the run itself is killed, the array works on; what it
finishes is found by the next start.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Self

from harness.core.errors import HarnessError, unknown
from harness.core.limits import ABOVE_ZERO, check, count
from harness.core.sections import section
from harness.executors.executor import (
    ExecutorSettings,
    Item,
    Result,
    check_installed,
    executor,
    incomplete,
    on_gpu,
    require,
)
from harness.executors.worker import prepare_worker

POLL_SECONDS = {"slurm": 10, "local": 0.5}


@section("executor")
@dataclass(frozen=True)
class SlurmSettings(ExecutorSettings):
    """What a user can choose about Slurm.

    Attributes:
        cpus: CPU cores reserved per array task; 0 means one per thread.
        gpus: GPUs reserved per array task; null means one with device=cuda and none otherwise.
        retries: How often an array task that ran out of ``minutes`` starts again in the same run;
            above 0, preempted tasks and those of lost nodes are requeued too.
        cluster: ``slurm``, or ``local`` to try the same on this machine without Slurm.
        partition: Partition; null means the cluster's default.
        minutes: Time limit of an array task.
        memory_gb: Memory of an array task in GiB; null means the cluster's default.
        shards: Least number of shards per array task; starting one costs seconds.
        tasks: Largest job array that the cluster accepts; beyond it array tasks hold more shards.
        logs: Folder of submitit's files and the workers' output, which all nodes must see; empty
            for ``.slurm`` in the folder of the results.
        sbatch: Further options of sbatch: ``{account: lab, qos: long}``.
    """

    cpus: int = 0
    gpus: int | None = None
    retries: int = 2
    cluster: str = "slurm"
    partition: str | None = None
    minutes: int = 60
    memory_gb: float | None = None
    shards: int = 10
    tasks: int = 1000
    logs: str = ""
    sbatch: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses an unknown cluster and numbers that make no sense.

        Raises:
            HarnessError: With what is allowed.
        """
        super().__post_init__()
        check(
            self,
            cpus=count(0, 10**4),
            gpus=count(0, 10**4),
            retries=count(0, 1000),
            minutes=count(1, 10**7),
            memory_gb=ABOVE_ZERO,
            shards=count(1, 10**6),
            tasks=count(1, 10**6),
        )
        if self.cluster not in POLL_SECONDS:
            raise unknown("executor.cluster", self.cluster, POLL_SECONDS)

    @property
    def cores(self) -> int:
        """CPU cores that one array task reserves."""
        return self.cpus or self.threads

    def at(self, device: str, results: Path) -> Self:
        """Reserves a GPU if the array tasks compute on one, and names the folder of the logs."""
        gpus = int(on_gpu(device)) if self.gpus is None else self.gpus
        return replace(self, gpus=gpus, logs=self.logs or str(results / ".slurm"))

    def check_here(self) -> None:
        """Refuses Slurm where submitit is not installed or the cluster's commands are not found."""
        check_installed("submitit", "slurm")
        if self.cluster == "slurm" and shutil.which("srun") is None:
            raise HarnessError(
                "executor=slurm needs Slurm's commands, and there is no srun here; start the run "
                "on a machine of the cluster, or try executor.cluster=local."
            )


@executor
def slurm(
    function: Callable[[Item], Result], items: Sequence[Item], settings: SlurmSettings
) -> Iterator[Result]:
    """Works in the tasks of a Slurm job array, of several items each.

    Raises:
        HarnessError: If submitit is not installed or Slurm refuses the array, or if array tasks
            were lost; all others are done by then.
    """
    if not items:
        return
    submitit = require("submitit", "slurm")
    size = _batch_size(len(items), settings)
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    jobs = _submit(submitit, ArrayTask(function, settings.threads), batches, settings)
    open_jobs = dict(zip(jobs, batches, strict=True))
    lost = {}
    try:
        for job in submitit.helpers.as_completed(
            jobs, poll_frequency=POLL_SECONDS[settings.cluster]
        ):
            batch = open_jobs.pop(job)
            outcome = _outcome(submitit, job)
            if outcome is None:
                lost[job.job_id] = len(batch)
            else:
                yield from outcome
    finally:
        for job in open_jobs:
            job.cancel(check=False)
    if lost:
        raise incomplete(
            f"{sum(lost.values())} of {len(items)} shards",
            f"{len(lost)} of {len(jobs)} array tasks ended early ({next(iter(lost))} for one; the "
            f"output of each is in {settings.logs})",
            "with more executor.minutes or executor.memory_gb if these were short",
        )


@dataclass
class ArrayTask(Generic[Item, Result]):
    """The function of an array task; what it has done survives a requeue.

    Attributes:
        function: Does one item.
        threads: Torch threads.
        results: Of the items so far.
    """

    function: Callable[[Item], Result]
    threads: int
    results: list[Result] = field(default_factory=list)

    def __call__(self, items: Sequence[Item]) -> tuple[list[Result], HarnessError | None]:
        """Does the items that are still to do; returns the results and what stopped it."""
        prepare_worker(self.threads)
        try:
            while len(self.results) < len(items):
                self.results.append(self.function(items[len(self.results)]))
        except HarnessError as error:  # submitit would turn it into a traceback
            return self.results, error
        return self.results, None

    def checkpoint(self, items: Sequence[Item]) -> Any:
        """Returns what submitit starts when the task ran out of time or was preempted."""
        return require("submitit", "slurm").helpers.DelayedSubmission(self, items)


def _batch_size(items: int, settings: SlurmSettings) -> int:
    """Returns the items per array task; on this machine there are no more tasks than workers."""
    tasks = settings.tasks if settings.cluster == "slurm" else settings.width
    return max(settings.shards, -(-items // tasks))


def _submit(
    submitit: Any, batch: ArrayTask[Any, Any], batches: list[Any], settings: SlurmSettings
) -> list[Any]:
    try:
        executor = submitit.AutoExecutor(
            settings.logs,
            cluster=settings.cluster,
            slurm_max_num_timeout=settings.retries,
            local_max_num_timeout=settings.retries,
        )
        requeue = "requeue" if settings.retries else "no-requeue"
        executor.update_parameters(
            name="zero-cost-harness",
            timeout_min=settings.minutes,
            mem_gb=settings.memory_gb,
            cpus_per_task=settings.cores,
            gpus_per_node=settings.gpus or None,
            slurm_partition=settings.partition,
            slurm_array_parallelism=settings.workers or settings.tasks,
            slurm_additional_parameters={requeue: True, **settings.sbatch},
        )
        jobs: list[Any] = executor.map_array(batch, batches)
    except (RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise HarnessError(
            f"Slurm did not take the work ({reason[-1]}); start the run on a machine that has "
            "sbatch and check executor.partition, executor.minutes and executor.sbatch."
        ) from error
    return jobs


def _outcome(submitit: Any, job: Any) -> list[Any] | None:
    """Returns the results of an array task that has ended, or None if it was lost.

    Raises:
        Exception: What stopped the function.
    """
    try:
        results, error = job.result()
    except submitit.core.utils.UncompletedJobError as failure:
        failed = isinstance(failure, submitit.core.utils.FailedJobError)
        if failed and "Job not requeued" not in str(failure):
            raise
        return None
    if error:
        raise error
    return list(results)

"""Where and how wide the work runs, as the configuration says it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from harness.errors import HarnessError, unknown
from harness.executors.base import executors

CLUSTERS = ("slurm", "local")


@dataclass(frozen=True)
class ExecutorSettings:
    """Where and how wide the work runs.

    Attributes:
        name: A registered executor: ``local`` (this process), ``processes``, ``ray``, ``slurm``.
        workers: Shards at work at once; 0 means one per CPU core, and as many as it gives on a
            cluster.
        threads: Torch threads per worker. Sums are split among threads, so the seventh digit of a
            score depends on their number: it is the same for every executor.
        cpus: CPU cores that ``ray`` and ``slurm`` reserve per worker; 0 means one per thread.
        gpus: GPUs that ``ray`` and ``slurm`` reserve per worker; with ``ray`` also a fraction, so
            that several workers share a GPU. Needed with device=cuda.
        retries: How often a lost worker's work starts again in the same run: with ``ray`` whenever
            a worker or node is lost, with ``slurm`` when an array task ran out of ``minutes``
            (above 0, preempted tasks and those of lost nodes are requeued too).
        address: Ray cluster: ``auto`` on a machine of it, ``ray://HOST:10001`` from outside, null
            for one that lives as long as the run on this machine.
        cluster: ``slurm``, or ``local`` to try the same on this machine without Slurm.
        partition: Slurm partition; null means the cluster's default.
        minutes: Time limit of a Slurm array task.
        memory_gb: Memory of a Slurm array task in GiB; null means the cluster's default.
        shards: Least number of shards per Slurm array task; starting one costs seconds.
        tasks: Largest job array that the Slurm cluster accepts; beyond it array tasks hold more
            shards.
        logs: Folder of submitit's files and the workers' output; all nodes must see it.
        sbatch: Further options of sbatch: ``{account: lab, qos: long}``.
    """

    name: str = "processes"
    workers: int = 0
    threads: int = 1
    cpus: int = 0
    gpus: float = 0
    retries: int = 2
    address: str | None = None
    cluster: str = "slurm"
    partition: str | None = None
    minutes: int = 60
    memory_gb: float | None = None
    shards: int = 10
    tasks: int = 1000
    logs: str = "results/.slurm"
    sbatch: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses an unknown executor and numbers that make no sense.

        Raises:
            HarnessError: With what is allowed.
        """
        executors.get(self.name)
        if self.workers < 0 or self.threads < 1:
            raise HarnessError(
                f"executor.workers={self.workers} must be at least 1, or 0 for one per core, and "
                f"executor.threads={self.threads} at least 1."
            )
        for key in ("cpus", "gpus", "retries"):
            if getattr(self, key) < 0:
                raise HarnessError(f"executor.{key}={getattr(self, key)} must be at least 0.")
        for key in ("minutes", "shards", "tasks"):
            if getattr(self, key) < 1:
                raise HarnessError(f"executor.{key}={getattr(self, key)} must be at least 1.")
        if self.gpus % 1 and (self.gpus > 1 or self.name == "slurm"):
            raise HarnessError(
                f"executor.gpus={self.gpus} must be a whole number, or with executor=ray a "
                "fraction of one GPU."
            )
        if self.cluster not in CLUSTERS:
            raise unknown("executor.cluster", self.cluster, CLUSTERS)

    @property
    def width(self) -> int:
        """Number of workers, with 0 resolved to the cores that this process may use."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def cores(self) -> int:
        """CPU cores that one worker reserves."""
        return self.cpus or self.threads

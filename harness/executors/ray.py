"""Runs the work on a Ray cluster, or on one that lives as long as the run on this machine.

Every machine of a cluster needs the same version of this package and sees the working folder under
the same path, because shards are files in it.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

from harness.core.errors import HarnessError
from harness.core.limits import check, count
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

IN_FLIGHT = 1000  # waiting for one of n tasks costs n steps, and a study has 10^5
OBJECT_STORE = 128 * 2**20  # bytes; results are single numbers


@section("executor")
@dataclass(frozen=True)
class RaySettings(ExecutorSettings):
    """What a user can choose about Ray.

    Attributes:
        cpus: CPU cores reserved per worker; 0 means one per thread.
        gpus: GPUs reserved per worker, with a fraction several workers share one; null means one
            with device=cuda and none otherwise.
        retries: How often a shard whose worker or node was lost starts again in the same run.
        address: ``auto`` on a machine of a cluster, ``ray://HOST:10001`` from outside, null for a
            cluster that lives as long as the run on this machine.
    """

    cpus: int = 0
    gpus: float | None = None
    retries: int = 2
    address: str | None = None

    def __post_init__(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            HarnessError: With what is allowed.
        """
        super().__post_init__()
        check(self, cpus=count(0, 10**4), gpus=count(0, 10**4), retries=count(0, 1000))
        if self.gpus is not None and self.gpus > 1 and self.gpus % 1:
            raise HarnessError(
                f"executor.gpus={self.gpus} must be a whole number or a fraction of one GPU."
            )

    @property
    def cores(self) -> int:
        """CPU cores that one worker reserves."""
        return self.cpus or self.threads

    def at(self, device: str, results: Path) -> Self:
        """Reserves a GPU if the workers compute on one."""
        del results
        return self if self.gpus is not None else replace(self, gpus=int(on_gpu(device)))

    def check_here(self) -> None:
        """Refuses Ray where it is not installed."""
        check_installed("ray", "ray")


@executor
def ray(
    function: Callable[[Item], Result], items: Sequence[Item], settings: RaySettings
) -> Iterator[Result]:
    """Works in the tasks of a Ray cluster; lost ones are tried again.

    Raises:
        HarnessError: If Ray is not installed, no cluster answers or none of its machines is large
            enough, or if work is still lost after ``settings.retries``; all else is done by then.
    """
    if not items:
        return
    if settings.address is None:
        # Ray's own switch for machines that are no cluster: it listens on the loopback address
        # alone, where it would listen on all, and whoever reaches it can run code.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    library = require("ray", "ray")
    with _connection(library, settings):
        task = library.remote(_work).options(
            num_cpus=settings.cores, num_gpus=settings.gpus or 0, max_retries=settings.retries
        )
        place = (settings.threads, str(Path.cwd()), _environment())
        queue = (task.remote(function, item, *place) for item in items)
        running = list(islice(queue, settings.workers or IN_FLIGHT))
        lost = 0
        try:
            while running:
                (ready,), running = library.wait(running)
                running += islice(queue, 1)
                try:
                    result = library.get(ready)
                except library.exceptions.RayTaskError as error:
                    raise error.cause or error from None
                except library.exceptions.RayError:
                    lost += 1
                else:
                    yield result
        finally:
            for task in running:
                library.cancel(task)
    if lost:
        raise incomplete(
            f"{lost} of {len(items)} shards",
            f"a Ray worker was killed or its machine was lost, {settings.retries + 1} times over",
            "with more executor.cpus if memory was short",
        )


def _work(
    function: Callable[[Item], Result],
    item: Item,
    threads: int,
    folder: str,
    environment: dict[str, str],
) -> Result:
    """Does one item as if it were done where the run was started."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise HarnessError(
            f"The folder {folder} does not exist on the machine {os.uname().nodename}; a cluster "
            "needs one that all machines share."
        ) from error
    os.environ.update(environment)
    prepare_worker(threads)
    return function(item)


def _environment() -> dict[str, str]:
    """Returns the variables that say where data lie."""
    return {name: value for name, value in os.environ.items() if name.startswith("HARNESS_")}


@contextmanager
def _connection(library: Any, settings: RaySettings) -> Iterator[None]:
    """Connects to the cluster, unless the caller is connected already."""
    if library.is_initialized():
        _check_room(library, settings)
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run reports to nobody
    on_end = signal.getsignal(signal.SIGTERM)
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if settings.address is None:
            cores = settings.workers * settings.cores or settings.width
            library.init(
                "local",
                num_cpus=cores,
                object_store_memory=OBJECT_STORE,
                include_dashboard=False,
                **quiet,
            )
        else:
            library.init(settings.address, **quiet)
    except Exception as error:  # Ray raises whatever its layers raise
        where = f"executor.address={settings.address}" if settings.address else "this machine"
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise HarnessError(
            f"Ray cannot be used at {where} ({reason[0]}); start a cluster with `ray start --head` "
            "and name it, or leave executor.address=null for one on this machine."
        ) from error
    try:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_end)  # Ray's own would skip what follows
        _check_room(library, settings)
        yield
    finally:
        library.shutdown()


def _check_room(library: Any, settings: RaySettings) -> None:
    """Refuses work that would wait for ever for a machine that does not exist."""
    needed = {"CPU": settings.cores, "GPU": settings.gpus or 0}
    machines = [node["Resources"] for node in library.nodes() if node["Alive"]]
    if any(all(has.get(key, 0) >= n for key, n in needed.items()) for has in machines):
        return
    has = {key: max(machine.get(key, 0) for machine in machines) for key in needed}
    raise HarnessError(
        f"A worker with executor.cpus={settings.cores} and executor.gpus={needed['GPU']:g} fits on "
        f"no machine of the Ray cluster, which has up to {has['CPU']:g} CPUs and {has['GPU']:g} "
        "GPUs each."
    )

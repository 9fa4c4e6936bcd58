"""Runs the work on a Ray cluster, or on one that lives as long as the run on this machine.

Every machine of a cluster needs the same version of this package and sees the working folder under
the same path, because shards are files in it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from harness.errors import HarnessError
from harness.executors.base import Item, Result, executors, incomplete, require
from harness.executors.settings import ExecutorSettings

IN_FLIGHT = 1000  # waiting for one of n tasks costs n steps, and a study has 10^5
OBJECT_STORE = 128 * 2**20  # bytes; results are single numbers


def ray(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ExecutorSettings
) -> Iterator[Result]:
    """Maps ``function`` over ``items`` in Ray tasks; lost ones are tried again.

    Raises:
        HarnessError: If Ray is not installed, no cluster answers or none of its machines is large
            enough, or if work is still lost after ``settings.retries``; all else is done by then.
    """
    if not items:
        return
    library = require("ray", "ray")
    with _connection(library, settings):
        task = library.remote(_work).options(
            num_cpus=settings.cores, num_gpus=settings.gpus, max_retries=settings.retries
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
    torch.set_num_threads(threads)
    return function(item)


def _environment() -> dict[str, str]:
    """Returns the variables that say where data lie."""
    return {name: value for name, value in os.environ.items() if name.startswith("HARNESS_")}


@contextmanager
def _connection(library: Any, settings: ExecutorSettings) -> Iterator[None]:
    """Connects to the cluster, unless the caller is connected already."""
    if library.is_initialized():
        _check_room(library, settings)
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a run reports to nobody
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
        _check_room(library, settings)
        yield
    finally:
        library.shutdown()


def _check_room(library: Any, settings: ExecutorSettings) -> None:
    """Refuses work that would wait for ever for a machine that does not exist."""
    needed = {"CPU": settings.cores, "GPU": settings.gpus}
    machines = [node["Resources"] for node in library.nodes() if node["Alive"]]
    if any(all(has.get(key, 0) >= n for key, n in needed.items()) for has in machines):
        return
    has = {key: max(machine.get(key, 0) for machine in machines) for key in needed}
    raise HarnessError(
        f"A worker with executor.cpus={settings.cores} and executor.gpus={settings.gpus:g} fits on "
        f"no machine of the Ray cluster, which has up to {has['CPU']:g} CPUs and {has['GPU']:g} "
        "GPUs each."
    )


executors.add("ray", ray)

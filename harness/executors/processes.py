"""Runs the work in processes on this machine.

Networks at initialisation are many small kernels: several single-threaded processes finish more of
them per second than one process with several threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Self

from harness.core.sections import section
from harness.executors.executor import (
    ExecutorSettings,
    Item,
    Result,
    at_least,
    executor,
    incomplete,
    on_gpu,
)
from harness.executors.local import local
from harness.executors.worker import prepare_worker


@section("executor")
@dataclass(frozen=True)
class ProcessSettings(ExecutorSettings):
    """What a user can choose about worker processes.

    Attributes:
        gpus: GPUs that the workers are dealt to in turn; 0 means all that can be seen with
            device=cuda. Otherwise every worker computes on the device that is named.
    """

    gpus: int = 0

    def __post_init__(self) -> None:
        """Refuses less than no GPU.

        Raises:
            HarnessError: With what is allowed.
        """
        super().__post_init__()
        at_least(self, gpus=0)

    def at(self, device: str, results: Path) -> Self:
        """One worker per GPU unless the user wants more: each costs a context of its own there."""
        del results
        if not on_gpu(device):
            return self
        gpus = min(self.gpus or sys.maxsize, len(visible_gpus())) if device == "cuda" else 0
        return replace(self, gpus=gpus, workers=self.workers or max(gpus, 1))


@executor
def processes(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ProcessSettings
) -> Iterator[Result]:
    """Works in processes on this machine.

    Raises:
        HarnessError: If a worker was killed; what is finished is kept.
    """
    workers = min(settings.width, len(items))
    if workers <= 1:
        yield from local(function, items, settings)
        return
    # A forked copy of a process that has run torch threads can deadlock; a spawned one cannot.
    spawn = multiprocessing.get_context("spawn")
    deal: SimpleQueue[str] = spawn.SimpleQueue()
    gpus = visible_gpus()[: settings.gpus] if settings.gpus else []
    for worker in range(workers if gpus else 0):
        deal.put(gpus[worker % len(gpus)])
    pool = ProcessPoolExecutor(
        workers,
        mp_context=spawn,
        initializer=_start_worker,
        initargs=(settings.threads, deal if gpus else None),
    )
    done = 0
    try:
        futures = [pool.submit(function, item) for item in items]
        for future in as_completed(futures):
            result = future.result()
            done += 1
            yield result
    except BrokenProcessPool as error:
        raise incomplete(
            f"{len(items) - done} of {len(items)} shards",
            "a worker process was killed (out of memory?), which ends the others",
            "with fewer executor.workers if memory was short",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def visible_gpus() -> list[str]:
    """Returns the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = named.split(",") if named else map(str, range(torch.cuda.device_count()))
    return list(names)[: torch.cuda.device_count()]


def _start_worker(threads: int, gpus: SimpleQueue[str] | None) -> None:
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus.get()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once and in silence
    prepare_worker(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this worker when the run is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

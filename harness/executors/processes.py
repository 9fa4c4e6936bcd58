"""Runs the work in processes on this machine.

Networks at initialisation are many small kernels: several single-threaded processes finish more of
them per second than one process with several threads.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Self

from harness.core.limits import check, count
from harness.core.sections import section
from harness.executors.executor import (
    ExecutorSettings,
    Item,
    LostWorkerError,
    Result,
    executor,
    incomplete,
    on_gpu,
)
from harness.executors.local import local
from harness.executors.worker import prepare_worker

log = logging.getLogger(__name__)

CONTEXT = 2**30  # bytes of a GPU that every process takes before its first tensor, at most


@section("executor")
@dataclass(frozen=True)
class ProcessSettings(ExecutorSettings):
    """What a user can choose about worker processes.

    Attributes:
        gpus: GPUs that the workers are dealt to in turn; 0 means all that can be seen with
            device=cuda. Otherwise every worker computes on the device that is named.
        per_gpu: Workers per GPU, unless ``workers`` says how many there are in all. The kernels of
            one small network leave most of a GPU idle. Those that share one may each take an equal
            part of its memory: what needs more has the status ``oom``.
    """

    gpus: int = 0
    per_gpu: int = 1

    def __post_init__(self) -> None:
        """Refuses less than no GPU, and less than one worker on it.

        Raises:
            HarnessError: With what is allowed.
        """
        super().__post_init__()
        check(self, gpus=count(0, 1024), per_gpu=count(1, 1024))

    def at(self, device: str, results: Path) -> Self:
        """As many workers per GPU as the user wants; each costs a context of its own there."""
        del results
        if not on_gpu(device):
            return self
        gpus = min(self.gpus or sys.maxsize, len(visible_gpus())) if device == "cuda" else 0
        return replace(self, gpus=gpus, workers=self.workers or max(gpus, 1) * self.per_gpu)


@executor
def processes(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ProcessSettings
) -> Iterator[Result]:
    """Works in processes on this machine.

    A worker whose GPU fails is replaced, with all others, when these have ended what they are at.

    Raises:
        HarnessError: If a worker was killed; what is finished is kept.
    """
    workers = min(settings.width, len(items))
    if workers <= 1 and not settings.gpus:
        yield from local(function, items, settings)
        return
    waiting = list(items)
    started_by_others = set(multiprocessing.active_children())
    while waiting:
        pool = _pool(min(workers, len(waiting)), settings)
        try:
            waiting = yield from _work_through(pool, function, waiting, total=len(items))
        except (KeyboardInterrupt, GeneratorExit):
            _end_workers(started_by_others)
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _end_workers(others: Collection[BaseProcess]) -> None:
    """Ends what the workers are at, which may take minutes; what they finished is stored."""
    for child in multiprocessing.active_children():
        if child not in others:
            child.terminate()


def _pool(workers: int, settings: ProcessSettings) -> ProcessPoolExecutor:
    # A forked copy of a process that has run torch threads can deadlock; a spawned one cannot.
    spawn = multiprocessing.get_context("spawn")
    gpus = visible_gpus()[: settings.gpus] if settings.gpus else []
    deal: SimpleQueue[str] = spawn.SimpleQueue()
    for worker in range(workers if gpus else 0):
        deal.put(gpus[worker % len(gpus)])
    sharing = -(-workers // len(gpus)) if gpus else 1
    start = (settings.threads, deal if gpus else None, sharing)
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start_worker, initargs=start)


def _work_through(
    pool: ProcessPoolExecutor,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    total: int,
) -> Generator[Result, None, list[Item]]:
    """Yields results until a worker is lost; returns the items that are left."""
    left: list[Item] = []
    pending: dict[Future[Result], Item] = {}
    try:
        pending |= {pool.submit(_attempt, function, item): item for item in items}
        for future in as_completed(list(pending)):
            results: tuple[Result, ...] = ()
            try:
                results = (future.result(),)
            except CancelledError:
                left.append(pending[future])
            except LostWorkerError as lost:
                results = lost.results
                if results:  # else it was lost before
                    log.warning("A worker is replaced: %s", lost.reason)
                left += [] if lost.rest is None else [lost.rest]
                for other in pending:
                    other.cancel()
            del pending[future]
            yield from results
    except BrokenProcessPool as error:
        raise incomplete(
            f"{len(pending) + len(left)} of {total} shards",
            "a worker process was killed (out of memory?), which ends the others",
            "with fewer executor.workers if memory was short",
        ) from error
    return left


def visible_gpus() -> list[str]:
    """Returns the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = named.split(",") if named else map(str, range(torch.cuda.device_count()))
    return list(names)[: torch.cuda.device_count()]


_lost = threading.Event()
"""In a worker: set when nothing can be computed there any more."""


def _attempt(function: Callable[[Item], Result], item: Item) -> Result:
    if _lost.is_set():
        raise LostWorkerError((), item, "an item came before the worker's end")
    try:
        return function(item)
    except LostWorkerError:
        _lost.set()
        raise


def _start_worker(threads: int, gpus: SimpleQueue[str] | None, sharing: int) -> None:
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus.get()
    if gpus is not None and sharing > 1:
        with suppress(RuntimeError, AssertionError):  # without a GPU: the first item says so
            _limit_memory(sharing)

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once and in silence
    prepare_worker(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _limit_memory(sharing: int) -> None:
    """Leaves every worker of a GPU an equal part of its memory, less what CUDA itself takes."""
    import torch

    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(max(1 / sharing - CONTEXT / total, 0.0))


def _end_with_parent() -> None:
    """Ends this worker when the run is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

"""Runs the work in processes on this machine.

Networks at initialisation are many small kernels: several single-threaded processes finish more of
them per second than one process with several threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch

from harness.executors.base import Item, Result, executors, incomplete
from harness.executors.local import local
from harness.executors.settings import ExecutorSettings


def processes(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ExecutorSettings
) -> Iterator[Result]:
    """Maps ``function`` over ``items`` in worker processes.

    Raises:
        HarnessError: If a worker was killed; what is finished is kept.
    """
    workers = min(settings.width, len(items))
    if workers <= 1:
        yield from local(function, items, settings)
        return
    pool = ProcessPoolExecutor(
        workers,
        # A forked copy of a process that has run torch threads can deadlock; a spawned one cannot.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(settings.threads,),
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


def _start_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once and in silence
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this worker when the run is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


executors.add("processes", processes)

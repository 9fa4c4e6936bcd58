"""Runs the work here, one item after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.executors.executor import ExecutorSettings, Item, Result, executor
from harness.executors.worker import prepare_worker


@executor
def local(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ExecutorSettings
) -> Iterator[Result]:
    """Works in this process, on one item after the other."""
    import torch

    before = torch.get_num_threads()
    prepare_worker(settings.threads)
    try:
        yield from map(function, items)
    finally:
        torch.set_num_threads(before)

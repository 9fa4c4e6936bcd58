"""Runs the work here, one item after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.executors.executor import ExecutorSettings, Item, Result, executor


@executor
def local(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ExecutorSettings
) -> Iterator[Result]:
    """Works in this process, on one item after the other; how it keeps memory is the user's."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        yield from map(function, items)
    finally:
        torch.set_num_threads(before)

"""Runs the work here, one item after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from harness.executors.base import Item, Result, executors
from harness.executors.settings import ExecutorSettings


def local(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ExecutorSettings
) -> Iterator[Result]:
    """Maps ``function`` over ``items`` in this process."""
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        yield from map(function, items)
    finally:
        torch.set_num_threads(before)


executors.add("local", local)

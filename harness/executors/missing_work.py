"""Runs the shards that are not finished, and makes sure that nothing is missing afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from harness.core.files import make_writable
from harness.executors.executor import ExecutorSettings, incomplete
from harness.executors.progress import run_shards


class Sized(Protocol):
    """A shard of so many items."""

    @property
    def size(self) -> int:
        """Number of items that it is to compute."""


Shard = TypeVar("Shard", bound=Sized)


def run_missing(
    function: Callable[[Shard], int],
    missing: Callable[[], Iterable[Shard]],
    executor: ExecutorSettings,
    *,
    title: str,
    total: int,
    folder: Path,
) -> None:
    """Runs what is missing.

    Args:
        function: Computes and stores one shard and returns how many items it held.
        missing: Returns the shards that are not finished.
        executor: Where the work runs.
        title: What is being done.
        total: All items, finished ones included.
        folder: Where finished work lies.

    Raises:
        HarnessError: If the folder cannot be written, or something is still missing at the end.
    """
    if not (shards := list(missing())):
        return
    make_writable(folder)  # what is wrong with it is told before any work
    done = total - sum(shard.size for shard in shards)
    run_shards(function, shards, executor, title=title, done=done, total=total)
    if lost := list(missing()):
        reason = f"their files are not in {folder}"
        advice = "with a results= folder that all workers share"
        raise incomplete(f"{len(lost)} of {len(shards)} shards", reason, advice)

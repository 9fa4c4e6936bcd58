"""What every executor offers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from harness.errors import HarnessError
from harness.registry import Registry

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ExecutorSettings:
    """Where and how wide the work runs.

    Attributes:
        name: A registered executor: ``local`` (this process) or ``processes``.
        workers: Worker processes; 0 means one per CPU core.
        threads: Torch threads per worker. Sums are split among threads, so the seventh digit of a
            score depends on their number: it is the same for every executor.
    """

    name: str = "processes"
    workers: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuses an unknown executor and negative numbers.

        Raises:
            HarnessError: With what is allowed.
        """
        executors.get(self.name)
        if self.workers < 0 or self.threads < 1:
            raise HarnessError(
                f"executor.workers={self.workers} must be at least 1, or 0 for one per core, and "
                f"executor.threads={self.threads} at least 1."
            )

    @property
    def width(self) -> int:
        """Number of workers, with 0 resolved to the cores that this process may use."""
        return self.workers or len(os.sched_getaffinity(0))


class Executor(Protocol):
    """Maps a function over items, in any order and anywhere.

    The function must leave its result in a file: whatever happens to a worker, finished items stay
    finished and the next run computes only the others.
    """

    def __call__(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        settings: ExecutorSettings,
    ) -> Iterator[Result]:
        """Yields the results as they come."""


executors: Registry[Any] = Registry("executor", group="harness.executors")

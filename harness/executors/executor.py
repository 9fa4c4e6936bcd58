"""What every executor offers, and what a user can choose about all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self, TypeVar

from harness.core.errors import HarnessError
from harness.core.limits import check, count
from harness.core.registry import Registry
from harness.core.sections import section
from harness.core.versions import annotations_of

Item = TypeVar("Item")
Result = TypeVar("Result")
Map = TypeVar("Map", bound=Callable[..., Iterator[Any]])


@section("executor")
@dataclass(frozen=True)
class ExecutorSettings:
    """How wide the work runs; an executor's own record adds what else it lets a user choose.

    Attributes:
        name: The executor; ``job=list`` shows all of them. Filled in by the choice.
        workers: Shards at work at once; 0 means one per CPU core, one per GPU with device=cuda,
            and as many as it gives on a cluster.
        threads: Torch threads per worker. Sums are split among threads, so the seventh digit of a
            score depends on their number: it is the same for every executor.
    """

    name: str = ""
    workers: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            HarnessError: With what is allowed.
        """
        check(self, workers=count(0, 10**5), threads=count(1, 1024))

    @property
    def width(self) -> int:
        """Number of workers, with 0 resolved to the cores that this process may use."""
        return self.workers or len(os.sched_getaffinity(0))

    def at(self, device: str, results: Path) -> Self:
        """Returns the settings with what follows from a run filled in.

        Args:
            device: On which every worker computes.
            results: Folder of all results.
        """
        del device, results  # nothing does here
        return self

    def check_here(self) -> None:
        """Refuses an executor that this machine has not, before anything is prepared for it.

        Raises:
            HarnessError: With what is missing.
        """


class LostWorkerError(HarnessError):
    """Raised by a function whose process can compute nothing more; what it did is stored.

    An error of a GPU's kernel is of this kind: every later call of the process fails with it.

    Attributes:
        results: What the function returns for the part that it did; empty if it did nothing.
        rest: The item that is left to do; None if nothing is.
        reason: What happened.
    """

    def __init__(self, results: tuple[Any, ...], rest: Any, reason: str) -> None:
        super().__init__(results, rest, reason)  # all of them, to travel between processes
        self.results, self.rest, self.reason = results, rest, reason

    def __str__(self) -> str:
        """Returns what the user is told where no other process can go on."""
        return (
            f"This process can go on no longer ({self.reason}). What is finished is kept. Start "
            "the same command again for the rest."
        )


def on_gpu(device: str) -> bool:
    """Tells whether a device is a GPU."""
    return device.partition(":")[0] == "cuda"


@dataclass(frozen=True)
class Executor:
    """A registered executor: it maps a function over items, in any order and anywhere.

    The function must leave its result in a file: whatever happens to a worker, finished items stay
    finished and the next run computes only the others.

    Attributes:
        name: Its name on the command line.
        function: Takes a function, items and its settings; yields the results as they come.
        settings: Type of its settings, an ``ExecutorSettings``.
        doc: What it does, in one line.
    """

    name: str
    function: Callable[..., Iterator[Any]]
    settings: type[ExecutorSettings]
    doc: str

    @property
    def defaults(self) -> ExecutorSettings:
        """Its settings as they are unless the user chooses others."""
        return self.settings(name=self.name)


executors: Registry[Executor] = Registry("executor", home="harness.executors")


def executor(function: Map) -> Map:
    """Registers the decorated function as an executor under its own name.

    The type of its third parameter is the record of its settings.
    """
    *_, settings = annotations_of(function).values()
    if not (isinstance(settings, type) and issubclass(settings, ExecutorSettings)):
        raise HarnessError(
            f"The executor {function.__name__!r} must take a function, items and its settings, a "
            "subclass of ExecutorSettings."
        )
    doc = (function.__doc__ or "").strip().splitlines()[0]
    executors.add(function.__name__, Executor(function.__name__, function, settings, doc))
    return function


def execute(
    function: Callable[[Item], Result], items: Sequence[Item], settings: ExecutorSettings
) -> Iterator[Result]:
    """Maps a function over items with the executor that the settings name."""
    yield from executors.get(settings.name).function(function, items, complete(settings))


def complete(settings: ExecutorSettings) -> ExecutorSettings:
    """Returns the executor's own record where only what all have in common was given.

    Raises:
        HarnessError: If there is no executor of that name.
    """
    own = executors.get(settings.name).settings
    return own(**vars(settings)) if type(settings) is ExecutorSettings else settings


def require(name: str, executor: str) -> Any:
    """Imports the library of an executor, which is an extra of the same name.

    Raises:
        HarnessError: If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise _missing(name, executor, str(error)) from error


def check_installed(name: str, executor: str) -> None:
    """Refuses an executor whose library is not installed, without importing it.

    Raises:
        HarnessError: If it is not.
    """
    if name not in sys.modules and find_spec(name) is None:
        raise _missing(name, executor, f"No module named {name!r}")


def _missing(name: str, executor: str, reason: str) -> HarnessError:
    return HarnessError(
        f"executor={executor} needs the package {name} ({reason}); install it with "
        f"pip install 'zero-cost-harness[{executor}]'."
    )


def incomplete(missing: str, reason: str, advice: str) -> HarnessError:
    """Returns the error of a run that lost workers.

    Args:
        missing: How much at most: ``"3 of 20 shards"``; a lost worker may have stored its last.
        reason: What happened.
        advice: What may help besides starting again, as the end of that sentence.
    """
    return HarnessError(
        f"Up to {missing} are missing: {reason}. What is finished is kept. Start the same "
        f"command again for the rest, {advice}."
    )

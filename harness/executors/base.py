"""What every executor offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from harness.errors import HarnessError
from harness.registry import Registry

if TYPE_CHECKING:  # the settings check their executor's name in the registry below
    from harness.executors.settings import ExecutorSettings

Item = TypeVar("Item")
Result = TypeVar("Result")


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


def require(name: str, executor: str) -> Any:
    """Imports the library of an executor, which is an extra of the same name.

    Raises:
        HarnessError: If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise HarnessError(
            f"executor={executor} needs the package {name} ({error}); install it with "
            f"pip install 'zero-cost-harness[{executor}]'."
        ) from error


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

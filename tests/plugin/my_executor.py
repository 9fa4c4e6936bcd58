"""An executor with a setting: it leaves a note of how it was asked to work."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.sections import section
from harness.executors.executor import ExecutorSettings, Item, Result, executor


@section("executor")
@dataclass(frozen=True)
class MySettings(ExecutorSettings):
    """What a user can choose.

    Attributes:
        my_key: A number.
    """

    my_key: int = 1


@executor
def mine(
    function: Callable[[Item], Result], items: Sequence[Item], settings: MySettings
) -> Iterator[Result]:
    """Works here and leaves a note."""
    Path("note.txt").write_text(f"{settings.name} {settings.my_key} {len(items)}")
    yield from map(function, items)

"""A signal decides how a run ends, whatever the interrupted library makes of it."""

import os
import signal

import pytest

from harness.command_line.interrupts import answered
from harness.core.errors import Terminated


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)]
)
@pytest.mark.parametrize("made", [RuntimeError("the connection was lost"), KeyboardInterrupt()])
def test_a_library_that_hides_the_signal(
    number: int, kind: type[BaseException], made: BaseException
) -> None:
    """Ray, while it waits, makes a ``KeyboardInterrupt`` of whatever a handler raises."""
    with pytest.raises(kind) as caught, answered():
        try:
            os.kill(os.getpid(), number)
            while True:
                pass
        except BaseException as error:
            raise made from error
    assert caught.type is kind


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ValueError, match="mine"), answered():
        raise ValueError("mine")

"""Ctrl-C and SIGTERM: answered at once; the run then ends what it started and keeps the rest."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from harness.core.errors import Terminated

STDERR = 2


@contextmanager
def answered() -> Iterator[None]:
    """Raises ``KeyboardInterrupt`` or ``Terminated`` at the first signal, and exits at the second.

    A signal that the process was started to ignore, as in the background of a shell, is ignored.
    """
    handlers = {}
    answers: list[KeyboardInterrupt] = []

    def answer(number: int, _: FrameType | None) -> None:
        if answers:
            os._exit(128 + number)
        answers.append(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())
        with suppress(OSError):
            os.write(STDERR, "Stopping…\n".encode())  # print may be what was interrupted
        raise answers[0]

    if threading.current_thread() is threading.main_thread():
        for one in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(one) != signal.SIG_IGN:
                handlers[one] = signal.signal(one, answer)
    try:
        yield
    except BaseException as error:
        if answers and error is not answers[0]:  # what a library that was interrupted made of it
            raise answers[0] from error
        raise
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)

"""Work in a copy of this process: it may crash or hang, and starts at once."""

import os
import pickle
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

MEMORY = 12 * 2**30  # bytes of addresses; what asks for more is refused by the system
CRASHED, HUNG, RAISED, DONE = "crashed", "hung", "raised", "done"


def each(work: Callable[[], Iterator[Any]], seconds: float) -> Iterator[tuple[str, Any]]:
    """Yields what ``work`` yields in a fork, as it comes, each after DONE.

    Args:
        work: Yields what can be pickled.
        seconds: Time for each; then the fork is killed, and the last is HUNG. After a crash the
            last is CRASHED, after an exception RAISED with the traceback.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(work, write)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        while True:
            if not select.select([stream], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                yield HUNG, seconds
                break
            try:
                ended, value = pickle.load(stream)
            except (EOFError, pickle.UnpicklingError):
                yield CRASHED, None
                break
            if ended == "end":
                break
            yield ended, value
    os.waitpid(pid, 0)


def once(work: Callable[[], Any], seconds: float) -> tuple[str, Any]:
    """Returns how one piece of work ended in a fork, and what it returned."""
    return next(each(lambda: iter([work()]), seconds))


def _child(work: Callable[[], Iterator[Any]], write: int) -> None:
    """Does the work and ends the process, whatever happens."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with os.fdopen(write, "wb", buffering=0) as stream:
            try:
                for value in work():
                    stream.write(pickle.dumps((DONE, value)))
                stream.write(pickle.dumps(("end", None)))
            except BaseException:
                stream.write(pickle.dumps((RAISED, traceback.format_exc())))
    finally:
        os._exit(0)


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for something; False if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True

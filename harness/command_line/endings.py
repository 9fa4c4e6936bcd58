"""What is said, and the exit status, when a run ends before its job is done."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from harness.command_line.streams import drop_output
from harness.core.errors import HarnessError, Terminated, one_line

# 128 and the signal, as shells have it.
STOPPED, NOBODY_READS, TERMINATED = 130, 141, 143
INTERNAL = 70  # EX_SOFTWARE of sysexits.h


def ended(error: BaseException) -> int:
    """Prints why a run ended, as one sentence, and returns its exit status.

    With the variable ``HARNESS_TRACEBACK``, a mistake of the harness itself is raised again.
    """
    if isinstance(error, KeyboardInterrupt):
        sys.stderr.write("Stopped; what is finished is kept. Run the same command again.\n")
        return TERMINATED if isinstance(error, Terminated) else STOPPED
    if isinstance(error, BrokenPipeError):  # the reader of a pipe, such as head, has enough
        drop_output()
        return NOBODY_READS
    if isinstance(error, OSError):
        drop_output()
    elif not isinstance(error, (HarnessError, MemoryError)) and os.environ.get("HARNESS_TRACEBACK"):
        raise error
    status = getattr(error, "status", 1 if isinstance(error, (OSError, MemoryError)) else INTERNAL)
    _complain(_sentence(error))
    return int(status)


def _sentence(error: BaseException) -> str:
    if isinstance(error, HarnessError):
        return str(error)
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return (
            f"The system refused to read or write{place} ({error.strerror or error}); look at its "
            "permissions and at the space that is left."
        )
    if isinstance(error, MemoryError):
        return (
            "The memory of this machine is too small; take fewer architectures, smaller batches or "
            "fewer executor.workers."
        )
    return (
        f"{type(error).__name__}: {error}. This is a mistake of the harness, not yours; set the "
        "variable HARNESS_TRACEBACK=1 to see where it is, and report it."
    )


def _complain(sentence: str) -> None:
    from rich.console import Console
    from rich.text import Text

    text = Text.assemble(("Error:", "bold red"), f" {one_line(sentence)}")
    with suppress(OSError):  # nobody reads it
        Console(stderr=True).print(text, soft_wrap=True)

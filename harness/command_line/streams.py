"""Where a run was started: its streams and its folder, which may be anything."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path

from harness.core.errors import HarnessError


def prepare_streams() -> None:
    """Lets any text be printed: what an encoding lacks becomes ``?``."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, stream)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_output() -> None:
    """Lets Python end in silence: it would try once more to write what could not be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_folder() -> None:
    """Refuses a working folder that was deleted or cannot be entered.

    Raises:
        HarnessError: With what to do.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise HarnessError(
            f"The working folder cannot be used ({error.strerror}); change to one that exists."
        ) from error

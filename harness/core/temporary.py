"""Temporary files and folders that say whose they are, so that those of killed runs are removed.

The name of one holds the machine, the process and when that started. What belongs to a process of
this machine that has ended is nobody's; what belongs to another machine is left alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

_OWNED = re.compile(r"\..*\.(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}(\.|$)")
_swept: set[tuple[int, int, int]] = set()
"""Process and folder (device, inode); a fork is another process."""


def owned(path: Path) -> Path:
    """Returns a temporary name beside ``path``, with its suffix, and sweeps that folder once."""
    sweep(path.parent)
    pid = os.getpid()
    owner = f"{_machine()}-{pid}-{_start(pid)}-{uuid4().hex[:8]}"
    return path.with_name(f".{path.stem}.{owner}{path.suffix}")


@contextmanager
def owned_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder beside ``path`` and removes it afterwards, whatever it is then."""
    folder = owned(path)
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def nothing_kept() -> Iterator[Path]:
    """Yields a folder of the system's for temporary files, for results that nobody keeps."""
    with owned_folder(Path(tempfile.gettempdir(), "zero-cost-harness")) as folder:
        yield folder


def sweep(folder: Path) -> None:
    """Removes what ended processes of this machine left in a folder; a process looks once."""
    with suppress(OSError):
        known = folder.stat()
        place = (os.getpid(), known.st_dev, known.st_ino)
        if place in _swept:
            return
        _swept.add(place)
        for name in filter(_is_left, os.listdir(folder)):
            left = folder / name
            with suppress(OSError):  # another run was quicker, or it is another user's
                left.unlink() if left.is_symlink() or left.is_file() else shutil.rmtree(left)


def _is_left(name: str) -> bool:
    owner = _OWNED.match(name)
    if owner is None or owner["machine"] != _machine():
        return False
    pid = int(owner["pid"])
    try:
        os.kill(pid, 0)
    except PermissionError:
        pass  # it lives, and is another user's
    except (OSError, OverflowError):
        return True
    return _start(pid) not in (0, int(owner["start"]))


@cache
def _machine() -> str:
    """Names this machine; a container, whose processes have numbers of their own, is another."""
    name = os.uname().nodename
    with suppress(OSError):
        name += os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - it is no path
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _start(pid: int) -> int:
    """Returns when a process started, in clock ticks since the machine did; 0 if nobody tells."""
    try:
        # Behind the command in brackets, which may hold anything: field 3 and the following.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0

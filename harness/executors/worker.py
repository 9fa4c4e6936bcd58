"""What every process does before it works, and with memory between two items."""

from __future__ import annotations

import ctypes
import platform
import re
from pathlib import Path

# Of mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
# Bytes; the next network uses them again, what is more may be needed by another process.
SPARED = 2**30


def prepare_worker(threads: int) -> None:
    """Sets torch's threads, and keeps freed memory for the next tensor."""
    import torch

    torch.set_num_threads(threads)
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Lets glibc's malloc return nothing to the system by itself.

    By default a tensor above 32 MiB is mapped when it is made and unmapped when it goes: every use
    of such memory starts with a page fault for each of its pages, and a ReLU takes ten times as
    long as its arithmetic. It cannot be undone, so it is for processes that end with the run. Other
    systems and libraries of C are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)


def release_much_memory() -> None:
    """Returns freed memory if there may be much of it: one large network's is not held for ever.

    It takes about a fifth of a second, and the next network has to ask for memory again.
    """
    status = Path("/proc/self/status")
    found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text()) if status.exists() else None
    if found and int(found[1]) * 1024 > SPARED and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)

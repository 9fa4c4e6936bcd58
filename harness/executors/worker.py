"""What every process does before it works."""

from __future__ import annotations

import ctypes
import platform

# Of mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def prepare_worker(threads: int) -> None:
    """Sets torch's threads, and keeps freed memory for the next tensor."""
    import torch

    torch.set_num_threads(threads)
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Lets glibc's malloc return nothing to the system while the process lives.

    By default a tensor above 32 MiB is mapped when it is made and unmapped when it goes: every use
    of such memory starts with a page fault for each of its pages, and a ReLU takes ten times as
    long as its arithmetic. Other systems and libraries of C are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)

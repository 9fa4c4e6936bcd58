"""Timing several variants in turn, and the peak memory of one in a process of its own."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def in_turn(
    variants: Mapping[str, Callable[[], Any]], repeats: int, *, warm_up: bool = True
) -> dict[str, float]:
    """Returns each variant's fastest time in seconds; a round to warm up is not counted."""
    best = dict.fromkeys(variants, float("inf"))
    for turn in range(repeats + warm_up):
        for name, variant in variants.items():
            start = time.perf_counter()
            variant()
            if turn >= warm_up:
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_memory(function: Callable[..., Any], *arguments: Any) -> float:
    """Runs ``function`` in a fresh process and returns that process's peak memory in MiB."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return float(pool.apply(_peak, (function, arguments)))


def _peak(function: Callable[..., Any], arguments: tuple[Any, ...]) -> float:
    function(*arguments)
    # Not getrusage, whose peak a new process inherits from the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

"""Proxy scores that others have published, to compare one's own with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.errors import unknown
from harness.spaces import spaces
from harness.truth.tables import converted

# What NAS-Bench-Suite-Zero stores where a proxy is NaN or infinite.
SENTINEL = -1e8


def read_wide(path: Path, task: str) -> pd.DataFrame:
    """Reads a CSV with one row per architecture and one column per proxy.

    Returns:
        Columns ``key``, ``proxy`` and ``value``; NaN where the proxy had no value.
    """
    raw = pd.read_csv(path)
    raw["key"] = raw["net_str"].map(spaces.get("nb201").canonical)
    long = raw.drop(columns=["net", "net_str"]).melt("key", var_name="proxy", value_name="value")
    long["value"] = long["value"].astype(float).replace(SENTINEL, np.nan)
    return long


_TABLES = {("nb201", "cifar10"): ("nbsz_nb201_proxies", read_wide)}


def load_published(space: str, task: str) -> pd.DataFrame:
    """Loads published proxy scores.

    NAS-Bench-Suite-Zero measured its 13 proxies on the CPU with one seed for all architectures,
    batches of 64 augmented CIFAR-10 images and batch norm in training mode. Each architecture saw
    another batch, so scores of proxies with random inputs can be matched in rank only.

    Args:
        space: Search space; so far ``nb201``, with 9,445 of its cells.
        task: Task; so far ``cifar10``.

    Returns:
        Long table: ``key`` (canonical), ``proxy`` (name), ``value`` (higher is meant to be
        better; NaN where there was none).

    Raises:
        HarnessError: If nothing was published for this space and task.
        DataError: If the file cannot be had.
    """
    if (space, task) not in _TABLES:
        known = [f"{s}/{t}" for s, t in _TABLES]
        raise unknown("space and task with published scores", f"{space}/{task}", known)
    source_name, reader = _TABLES[space, task]
    return converted(f"{space}-{task}-published", source_name, reader, task)

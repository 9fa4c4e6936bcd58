"""Scores that others have published, of architectures and of operations, to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import DataError, unknown
from harness.sources.convert import converted
from harness.spaces import nb201
from harness.spaces.space import spaces

if TYPE_CHECKING:
    import pandas as pd

# What NAS-Bench-Suite-Zero stores where a proxy is NaN or infinite.
SENTINEL = -1e8
OPERATION_SCORES = "zcpt_operation_strength"


def read_wide(path: Path, task: str) -> pd.DataFrame:
    """Reads a CSV with one row per architecture and one column per proxy.

    Returns:
        Columns ``key``, ``proxy`` and ``value``; NaN where the proxy had no value.
    """
    import pandas as pd

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


def read_operation_scores(path: Path, task: str) -> pd.DataFrame:
    """Reads the Zero-Cost-PT authors' sheet: a block of methods per edge, a blank line between.

    Cells are numbers, or a mean and a deviation over architectures (``77.36±22.55``). What a row
    holds behind its five numbers (a remark, a trailing comma) is ignored.

    Returns:
        Columns ``method`` (as the sheet names it), ``edge`` (0 to 5), ``operation``, ``value`` (in
        the sheet's own sign) and ``deviation`` (NaN where the sheet has none).

    Raises:
        DataError: If the sheet does not hold six edges with five numbers per method.
    """
    import pandas as pd

    head, *lines = path.read_text(encoding="utf-8").splitlines()
    operations = [name.strip() for name in head.split(",")[1:6]]
    rows: list[tuple[str, int, str, float, float]] = []
    edge = 0
    for line in lines:
        method, *cells = [cell.strip() for cell in line.split(",")]
        if not method:
            edge += 1
            continue
        for operation, cell in zip(operations, cells, strict=False):
            rows.append((method, edge, operation, *_mean_and_deviation(cell, path, task)))
    table = pd.DataFrame(rows, columns=["method", "edge", "operation", "value", "deviation"])
    complete = len(nb201.EDGES) * len(nb201.OPERATIONS)
    if (
        set(operations) != set(nb201.OPERATIONS)
        or table.duplicated(["method", "edge", "operation"]).any()
        or not (table.groupby("method").size() == complete).all()
    ):
        raise DataError(f"{path} does not hold five operations on six edges for every method.")
    return table


def _mean_and_deviation(cell: str, path: Path, task: str) -> tuple[float, float]:
    mean, _, deviation = cell.partition("±")
    try:
        return float(mean), float(deviation) if deviation else float("nan")
    except ValueError as error:
        raise DataError(f"{path} holds {cell!r} where a {task} score is expected.") from error


def load_operation_scores() -> pd.DataFrame:
    """Loads the operation scores behind figure 2 of the Zero-Cost-PT paper; see the reader.

    The values of its search methods are means over four search seeds. The sheet is the authors'
    working file: it also holds methods that the paper does not mention.

    Raises:
        DataError: If the file cannot be had or is not the recorded one.
    """
    return converted("nb201-cifar10-operations", OPERATION_SCORES, read_operation_scores, "cifar10")

"""NASLib's tables of scores and accuracies, ``zc_<space>.json``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.adapters.naslib_names import naslib_space, naslib_task, to_key, to_naslib
from harness.core.errors import HarnessError
from harness.core.files import atomic
from harness.core.typed import checked
from harness.core.types import FAILED
from harness.sources import suite_zero
from harness.truth.published_scores import SENTINEL

COLUMNS = ("task", "key", "proxy", "seed", "value", "status", "seconds", "truth")
"""Those of ``api.evaluate`` that a table is written from."""


@checked
def read_table(path: Path | str, space: str, task: str) -> pd.DataFrame:
    """Reads the scores and accuracies of one task.

    Args:
        path: The file, with scores as numbers or with the seconds that they took.
        space: Search space.
        task: Task of the space.

    Returns:
        One row per architecture and proxy, as ``api.correlate`` takes them: ``space``, ``task``,
        ``key`` (canonical), ``proxy``, ``seed`` (0), ``value`` (NaN where the file holds −1e8 or no
        finite number), ``status``, ``seconds`` (NaN where it does not say) and ``truth``, what
        NASLib calls validation accuracy. Architectures that are pruned to the same come twice.

    Raises:
        HarnessError: If NASLib has no such space.
        DataError: If the file is not such a table.
    """
    found = suite_zero.early_scores(
        Path(path), naslib_space(space), naslib_task(task), partial(to_key, space)
    )
    table = pd.DataFrame(found, columns=list(suite_zero.EarlyScore._fields))
    undefined = ~np.isfinite(table["value"]) | (table["value"] == SENTINEL)
    table["value"] = table["value"].mask(undefined)
    table = table.rename(columns={"accuracy": "truth"})
    return table.assign(
        space=space, task=task, seed=0, status=np.where(undefined, "undefined", "ok")
    )[["space", *COLUMNS]]


@checked
def write_table(table: pd.DataFrame, path: Path | str, space: str) -> None:
    """Writes scores and accuracies as NASLib reads them, ``get_zc_benchmark_api`` and what follows.

    Args:
        table: What ``api.evaluate`` or ``api.scores.load`` returns, of one seed; undefined scores
            become −1e8, as NASLib has them.
        path: The file, which NASLib looks for in its folder ``data`` as ``zc_nasbench201.json``.
        space: Search space.

    Raises:
        HarnessError: If NASLib has no such space, or the table lacks a column, an accuracy or a
            score, or holds several seeds.
    """
    naslib_space(space)
    _check(table)
    content: dict[str, dict[str, dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        of_task = content.setdefault(naslib_task(row["task"]), {})
        entry = of_task.setdefault(str(to_naslib(space, row["key"])), {})
        entry["val_accuracy"] = row["truth"]
        value = row["value"] if row["status"] == "ok" else SENTINEL
        entry[row["proxy"]] = {"score": value, "time": row["seconds"]}
    with atomic(Path(path)) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _check(table: pd.DataFrame) -> None:
    """Refuses what NASLib would stumble over much later.

    Raises:
        HarnessError: With what to do.
    """
    if missing := [name for name in COLUMNS if name not in table]:
        raise HarnessError(f"The table lacks the column {missing[0]!r}; expected {COLUMNS}.")
    if len(set(table["seed"])) > 1:
        raise HarnessError("The table holds several seeds; NASLib's has one: table[table.seed==0].")
    if failed := int(table["status"].isin(FAILED).sum()):
        raise HarnessError(f"{failed} scores failed and have no value; leave them out.")
    if lacking := int(table["truth"].isna().sum()):
        raise HarnessError(f"{lacking} rows have no accuracy; leave them out.")

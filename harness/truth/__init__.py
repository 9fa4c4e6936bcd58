"""Ground truth: the accuracies that benchmarks recorded, and what exactly each of them is.

A table is one file here: a reader from the raw format and a record per task (see
``darts_swap_truth``), plus an entry in ``catalogue.toml``. Another package does the same in a
module that it names in the entry-point group ``harness.truth``.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.core.typed import checked
from harness.sources.catalogue import source
from harness.sources.fetch import fetch
from harness.truth import records, user_csv
from harness.truth.nb101_truth import load_epochs
from harness.truth.nb201_targets import load_targets
from harness.truth.published_scores import load_operation_scores, load_published
from harness.truth.records import TruthInfo

if TYPE_CHECKING:  # the command line knows every table without pandas
    import pandas as pd

__all__ = [
    "TruthInfo",
    "describe",
    "fetch",
    "load",
    "load_epochs",
    "load_operation_scores",
    "load_published",
    "load_targets",
    "overview",
    "value",
    "variants",
]


@checked
def load(
    space: str, task: str, variant: str = "default", path: Path | str | None = None
) -> pd.DataFrame:
    """Loads the accuracies of a benchmark.

    Args:
        space: Search space, for example ``nb201``.
        task: Task, for example ``cifar100``.
        variant: Which of the accuracies that were recorded; see ``variants``. ``csv`` reads a
            file of your own with the columns ``key,value``.
        path: That file; also your copy of what is published without a checksum.

    Returns:
        One row per architecture, sorted by key: ``key`` (canonical), ``value`` (percent for
        accuracies), ``n_training_seeds`` (runs behind the value, missing where not stated) and,
        where known, ``std`` over those runs. ``attrs`` holds the fields of ``TruthInfo``.

    Raises:
        HarnessError: If there is no such table, or the user's file is faulty.
        DataError: If a data file cannot be had or is not the recorded one.
    """
    path = None if path is None else str(path)
    if variant == "csv":
        info, table = user_csv.info(space, task), user_csv.read(space, task, path)
    else:
        record = records.get(space, task, variant)
        info, table = record.info, records.read(record, path)
    table = records.checked(table, info)
    table["n_training_seeds"] = table["n_training_seeds"].astype("Int64")
    table.attrs.update(asdict(replace(info, n=len(table))))
    return table


@checked
def value(
    space: str, task: str, key: str, variant: str = "default", path: Path | str | None = None
) -> float:
    """Returns the accuracy of one architecture, however its key is spelled.

    Args:
        space: Search space.
        task: Task.
        key: The architecture, in any form that the space reads.
        variant: Which of the accuracies, see ``load``.
        path: As for ``load``.

    Raises:
        HarnessError: If the space or the table does not have the architecture.
        DataError: If a data file cannot be had or is not the recorded one.
    """
    from harness.spaces.space import spaces

    of_space = spaces.get(space)
    table = load(space, task, variant, path)
    for spelling in (of_space.canonical(key), of_space.benchmark_key(key)):
        found = table["value"][table["key"] == spelling]
        if len(found):
            return float(found.iloc[0])
    name = f"{space}/{task} ({table.attrs['variant']})"
    raise HarnessError(f"The ground truth {name}, of {len(table):,} architectures, lacks {key}.")


@checked
def describe(space: str, task: str, variant: str = "default") -> TruthInfo:
    """Tells what a table's numbers mean and where they come from, without loading it.

    Raises:
        HarnessError: If there is no such table.
    """
    if variant == "csv":
        return user_csv.info(space, task)
    return records.get(space, task, variant).info


@checked
def variants(space: str, task: str) -> list[str]:
    """Returns the variants of a space and task, the default first and ``csv`` last.

    Raises:
        HarnessError: If the space or the task has no ground truth.
    """
    return [record.info.variant for record in records.of(space, task)] + ["csv"]


def overview() -> pd.DataFrame:
    """Lists every table that can be loaded, from the records alone: no file is read.

    Returns:
        One row per table, by space and task, the default variant first: ``space``, ``task``,
        ``variant``, ``metric``, ``split``, ``epochs`` (missing where there is no single number),
        ``training_seeds``, ``aggregation``, ``n`` (architectures; missing where only the table
        knows), ``source`` (who publishes the numbers), ``licence`` and ``available``
        (``bundled``, by ``download``, ``by hand``: the user places the file, or ``by hand, named``:
        the user names their copy).
    """
    import pandas as pd

    tables = sorted({(one.info.space, one.info.task) for one in records.records.values()})
    rows = [
        {
            **{name: getattr(record.info, name) for name in _OVERVIEW},
            "source": ", ".join(_publishers(record.info)) or "this project",
            "licence": record.info.licence,
            "available": _available(record),
        }
        for table in tables
        for record in records.of(*table)
    ]
    return pd.DataFrame(rows).astype({"epochs": "Int64", "n": "Int64"})


_OVERVIEW = (
    "space",
    "task",
    "variant",
    "metric",
    "split",
    "epochs",
    "training_seeds",
    "aggregation",
    "n",
)


def _available(record: records.Record) -> str:
    entries = [source(name) for name in record.info.sources]
    if record.bundled or not entries:
        return "bundled"
    if all(entry.address for entry in entries):
        return "download"
    return "by hand" if all(entry.digest for entry in entries) else "by hand, named"


def _publishers(info: TruthInfo) -> list[str]:
    return sorted({source(name).publisher for name in info.sources})

"""The declarative record behind every ground-truth table: what its numbers mean, who reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import DataError, HarnessError, unknown
from harness.core.registry import Registry
from harness.sources.catalogue import source
from harness.sources.convert import Reader, converted
from harness.sources.fetch import fetch
from harness.truth import bundled

if TYPE_CHECKING:  # the command line knows every record without pandas
    import pandas as pd


@dataclass(frozen=True)
class TruthInfo:
    """Which accuracy a table holds, and where it comes from.

    Attributes:
        space: Search space.
        task: Task.
        variant: Name of the table among those of its space and task.
        metric: What ``value`` is, with its unit.
        split: On which images it was measured, after training on which.
        epochs: Training epochs; None where there is no single number.
        training_seeds: How many training runs stand behind a value, or that in words.
        aggregation: How they became one value: ``"single"``, ``"mean"``, ``"surrogate"``.
        n: Number of architectures; None until the table is loaded.
        sources: What the catalogue calls its files; empty for one of the package or of the user.
        licence: Licence of the raw files; that of the first source unless stated.
        note: What a reader of a figure has to know.
    """

    space: str
    task: str
    variant: str
    metric: str
    split: str
    epochs: int | None
    training_seeds: int | str
    aggregation: str
    n: int | None
    sources: tuple[str, ...]
    licence: str = ""
    note: str = ""


@dataclass(frozen=True)
class Record:
    """A table that can be loaded.

    Attributes:
        info: What it means.
        read: Returns the table: ``key``, ``value``, ``n_training_seeds`` and maybe ``std``.
        default: Whether it is the one to take when no variant is named.
        read_path: Reads a copy that the user names, where no published checksum could tell
            whether a file is the right one.
        bundled: Whether the package holds it, so that its sources are only where it came from.
    """

    info: TruthInfo
    read: Callable[[], pd.DataFrame]
    default: bool = False
    read_path: Callable[[Path], pd.DataFrame] | None = None
    bundled: bool = False


records: Registry[Record] = Registry("ground truth", home="harness.truth")
_defaults: Registry[Record] = Registry("default ground truth", home="harness.truth")


def add(record: Record) -> None:
    """Registers a table.

    Raises:
        HarnessError: If there is one of its name, or its space and task have a default already.
    """
    info = record.info
    if not info.licence and info.sources:
        record = replace(record, info=replace(info, licence=source(info.sources[0]).licence))
    if record.default:
        _defaults.add(f"{info.space}/{info.task}", record)
    records.add(f"{info.space}/{info.task}/{info.variant}", record)


def from_source(info: TruthInfo, reader: Reader, *, file_task: str, default: bool = False) -> None:
    """Registers a table that is converted from one outside file.

    Args:
        info: What it means, naming its one source.
        reader: Reads the raw file.
        file_task: What the raw file calls the task.
        default: Whether it is the one to take when no variant is named.
    """
    (name,) = info.sources
    cache_name = f"{info.space}-{info.task}-{info.variant}"

    def read() -> pd.DataFrame:
        return converted(cache_name, name, reader, file_task)

    add(Record(info, read, default))


def from_package(
    info: TruthInfo,
    reader: Callable[..., pd.DataFrame],
    *,
    file_task: str,
    default: bool = False,
) -> None:
    """Registers a table that the package holds, and how it was made.

    Args:
        info: What it means, naming its raw files; their licences must allow it.
        reader: Reads the raw files, in the order in which they are named, then a task.
        file_task: What the raw files call the task.
        default: Whether it is the one to take when no variant is named.
    """

    def recipe() -> pd.DataFrame:
        table = reader(*map(fetch, info.sources), file_task)
        return table.sort_values("key", ignore_index=True)

    name = f"{info.space}_{info.task}_{info.variant}"
    bundled.recipes.add(name, recipe)
    add(Record(info, partial(bundled.read, name), default, bundled=True))


def table(rows: Iterable[tuple[str, float]], n_training_seeds: int | None) -> pd.DataFrame:
    """Returns what a record reads, of keys and values.

    Args:
        rows: Key and value of every architecture.
        n_training_seeds: Runs behind each value; None where nobody states them.
    """
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=["key", "value"])
    return frame.assign(n_training_seeds=pd.array([n_training_seeds] * len(frame), dtype="Int64"))


def over_runs(runs: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Returns what a record reads, of the values of every training run.

    Args:
        runs: Key -> one value per run.

    Returns:
        Columns ``key``, ``value`` (mean), ``std`` (missing for one run) and ``n_training_seeds``.
    """
    import pandas as pd

    values = pd.DataFrame([dict(enumerate(accuracies)) for accuracies in runs.values()])
    return pd.DataFrame(
        {
            "key": list(runs),
            "value": values.mean(axis="columns"),
            "std": values.std(axis="columns", ddof=1),
            "n_training_seeds": values.count(axis="columns"),
        }
    )


def of(space: str, task: str) -> list[Record]:
    """Returns the records of a space and task, the default first.

    Raises:
        HarnessError: If the space has no ground truth at all, or none for the task.
    """
    every = records.values()
    of_space = [r for r in every if r.info.space == space]
    if not of_space:
        raise unknown("search space with ground truth", space, {r.info.space for r in every})
    found = [r for r in of_space if r.info.task == task]
    if not found:
        raise unknown(f"task of {space} with ground truth", task, {r.info.task for r in of_space})
    return sorted(found, key=lambda r: (not r.default, r.info.variant))


def get(space: str, task: str, variant: str) -> Record:
    """Returns one record; ``variant="default"`` is the first.

    Raises:
        HarnessError: If there is none.
    """
    found = of(space, task)
    if variant == "default":
        return found[0]
    for record in found:
        if record.info.variant == variant:
            return record
    names = [record.info.variant for record in found] + ["csv", "default"]
    raise unknown(f"ground-truth variant of {space}/{task}", variant, names)


def read(record: Record, path: str | None) -> pd.DataFrame:
    """Reads a record's table, from the user's own copy where they name one.

    Raises:
        HarnessError: If a path is given for a table that is not read from one.
        DataError: If the raw file cannot be had or is faulty.
    """
    if record.read_path is not None and path is not None:
        return record.read_path(Path(path))
    no_path(record.info.space, record.info.task, record.info.variant, path)
    return record.read()


def checked(table: pd.DataFrame, info: TruthInfo) -> pd.DataFrame:
    """Returns ``table``, sorted by key, if it is what ``info`` promises.

    Raises:
        DataError: If keys repeat, a value is not finite, or the number of rows is not ``info.n``.
    """
    name = f"The ground truth {info.space}/{info.task}/{info.variant}"
    table = table.sort_values("key", ignore_index=True)
    keys = table["key"].array
    if (twice := keys[1:] == keys[:-1]).any():
        raise DataError(f"{name} holds {keys[1:][twice][0]!r} twice.")
    if not np.isfinite(table["value"]).all():
        raise DataError(f"{name} holds a value that is not a finite number.")
    if info.n is not None and len(table) != info.n:
        raise DataError(f"{name} holds {len(table):,} architectures where {info.n:,} are expected.")
    return table


def no_path(space: str, task: str, variant: str, path: str | None) -> None:
    """Refuses a path where none is used.

    Raises:
        HarnessError: If ``path`` is given.
    """
    if path is not None:
        raise HarnessError(
            f"path={path!r} was given for the ground truth {space}/{task}/{variant}, which reads "
            "no file of yours; add variant=csv (truth=csv) or leave the path out."
        )


def choices() -> list[str]:
    """Returns every variant that some space and task has, ``default`` first and ``csv`` last."""
    variants = {record.info.variant for record in records.values()}
    return ["default", *sorted(variants), "csv"]

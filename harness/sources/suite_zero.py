"""The raw formats of NAS-Bench-Suite-Zero's score files, shared by all its search spaces.

The released tables are a zip of JSON files named ``benchmark--<space>--<task>--<start>.json``. Each
is a list of ``{"arch": "(4, 0, 3, 1, 4, 3)", "val_accuracy": 85.9, ...}``, one entry per
architecture. The early tables, which NASLib reads as ``zc_<space>.json``, are one JSON object
``{task: {architecture: {"snip": {"score": 81.2, "time": 0.4}, "val_accuracy": 85.9}}}``, some of
them below the name of the space and with plain numbers as scores.
Krishnakumar et al., "NAS-Bench-Suite-Zero", NeurIPS 2022 (data sets and benchmarks).
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from harness.core.errors import DataError, HarnessError

Accuracies = list[tuple[str, float]]
"""Key and accuracy of each architecture, as stored: percent for accuracies."""


def accuracies(path: Path, task: str, to_key: Callable[[str], str]) -> Accuracies:
    """Reads one task of a zip.

    Args:
        path: The zip.
        task: What the file calls the task.
        to_key: Turns an architecture tuple, as text, into the space's canonical key.

    Raises:
        DataError: If the zip holds nothing of that task, or an entry without its fields.
    """
    try:
        rows = [(to_key(e["arch"]), float(e["val_accuracy"])) for e in _entries(path, task)]
    except (KeyError, TypeError, ValueError, HarnessError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a NAS-Bench-Suite-Zero score file ({error!r}).") from error
    if not rows:
        raise DataError(f"{path} holds no scores of the task {task!r}.")
    return rows


def _entries(path: Path, task: str) -> Iterator[dict[str, str]]:
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.namelist()):
            parts = PurePosixPath(member).stem.split("--")
            if member.endswith(".json") and len(parts) == 4 and parts[2] == task:
                yield from json.loads(archive.read(member))


def early_accuracies(path: Path, space: str, task: str, to_key: Callable[[str], str]) -> Accuracies:
    """Reads one task of an early table, in the order of the file.

    Args:
        path: The JSON file.
        space: What the file calls the space, where it does.
        task: What the file calls the task.
        to_key: Turns an architecture, as the file writes it, into the space's canonical key.

    Raises:
        DataError: If the file is not such a table.
    """
    with _reading(path, task):
        entries = _table(path, space, task)
        return [(to_key(arch), float(entry["val_accuracy"])) for arch, entry in entries.items()]


class EarlyScore(NamedTuple):
    """What an early table says of an architecture and a proxy.

    Attributes:
        key: The architecture.
        proxy: The proxy.
        value: The score as stored.
        seconds: What it took; NaN where the file does not say.
        accuracy: Of the architecture, as stored.
    """

    key: str
    proxy: str
    value: float
    seconds: float
    accuracy: float


def early_scores(
    path: Path, space: str, task: str, to_key: Callable[[str], str]
) -> list[EarlyScore]:
    """Reads the scores of one task of an early table; see ``early_accuracies``.

    Raises:
        DataError: If the file is not such a table.
    """
    with _reading(path, task):
        return [
            EarlyScore(key, proxy, *_score(value), float(entry["val_accuracy"]))
            for arch, entry in _table(path, space, task).items()
            for key in [to_key(arch)]
            for proxy, value in entry.items()
            if proxy not in NO_SCORES
        ]


NO_SCORES = ("idx", "arch", "val_accuracy")
"""What an entry holds besides scores."""


def _table(path: Path, space: str, task: str) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    table: dict[str, Any] = content.get(space, content)[task]
    return table


def _score(value: Any) -> tuple[float, float]:
    """Returns score and seconds; the earliest tables have no seconds."""
    if isinstance(value, dict):
        return float(value["score"]), float(value["time"])
    return float(value), math.nan


@contextmanager
def _reading(path: Path, task: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, OSError, TypeError, ValueError, HarnessError) as error:
        raise DataError(
            f"{path} is not an early NAS-Bench-Suite-Zero table of {task} ({error!r})."
        ) from error

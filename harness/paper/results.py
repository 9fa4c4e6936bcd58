"""Stored results, read back: the scores of one space and task and how they arose."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from harness import stats
from harness.errors import DataError

SPACES = {
    "nb101": "NB101",
    "nb201": "NB201",
    "nb301": "NB301",
    "tnb101_micro": "TNB micro",
    "tnb101_macro": "TNB macro",
    "darts_swap": "DARTS 1-cell",
    "darts_swap_c1": "DARTS 1-cell, C=1",
}
TASKS = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet16_120": "ImageNet16",
    "class_scene": "scene",
    "class_object": "object",
    "room_layout": "room",
    "segmentsemantic": "segment",
}


@dataclass(frozen=True, eq=False)
class Column:
    """The stored result of one space and task.

    Attributes:
        space: Search space.
        task: Task.
        scores: One row per score, joined with the ground truth; see ``stats.correlations``.
        run: The provenance that lies beside it.
    """

    space: str
    task: str
    scores: pd.DataFrame
    run: dict[str, Any]

    @property
    def name(self) -> str:
        """``space/task``."""
        return f"{self.space}/{self.task}"

    @property
    def label(self) -> str:
        """What figures call it."""
        return label(self.space, self.task)

    @property
    def seeds(self) -> int:
        """How many seeds are stored."""
        return int(self.scores["seed"].nunique())

    @property
    def n(self) -> int:
        """Architectures per seed; the fewest where seeds differ."""
        return int(self.scores.groupby("seed")["key"].nunique().min())

    @property
    def stand_in(self) -> bool:
        """Whether the images are not of the task's own data set."""
        return bool(self.run["inputs"]["stand_in"])

    @property
    def images(self) -> str:
        """The name of the image bank."""
        return str(self.run["inputs"]["source"])

    def failures(self, status: tuple[str, ...] = ("oom", "error")) -> int:
        """Counts the scores with one of these states."""
        return int(self.scores["status"].isin(status).sum())

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """Spearman and Kendall of every proxy and seed; undefined scores rank last."""
        return stats.correlations(self.scores)

    def summary(self, proxy: str) -> dict[str, Any]:
        """Returns what ``stats.summary`` says of one proxy, bootstrap interval included."""
        return _summary(self, proxy)


class Results:
    """A folder of results, ``<folder>/<space>/<task>``; every file is read once.

    Args:
        folder: Usually ``results``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, Column] = {}

    def has(self, space: str, task: str, *, under: str = "") -> bool:
        """Tells whether a result is stored."""
        return (self._path(space, task, under) / "scores.parquet").is_file()

    def column(self, space: str, task: str, *, under: str = "") -> Column:
        """Reads one result.

        Args:
            space: Search space.
            task: Task.
            under: A folder of further results below this one, for example ``ablation``.

        Raises:
            DataError: If there is none, or it is broken.
        """
        path = self._path(space, task, under)
        if path not in self._read:
            self._read[path] = _column(space, task, path)
        return self._read[path]

    def _path(self, space: str, task: str, under: str) -> Path:
        return self.folder / under / space / task


@cache
def _summary(column: Column, proxy: str) -> dict[str, Any]:
    (row,) = stats.summary(column.scores[column.scores["proxy"] == proxy]).to_dict("records")
    return {str(name): value for name, value in row.items()}


def label(space: str, task: str) -> str:
    """Returns the name of a column in figures: ``NB201 CIFAR-100``."""
    return f"{SPACES.get(space, space)} {TASKS.get(task, task)}"


def _column(space: str, task: str, path: Path) -> Column:
    try:
        scores = pd.read_parquet(path / "scores.parquet")
        run = json.loads((path / "run.json").read_text(encoding="utf-8"))
        found = set(zip(scores["space"], scores["task"], strict=True))
        complete = {"stand_in", "source"} <= set(run["inputs"]) and "n" in run["truth"]
    except FileNotFoundError as error:
        raise DataError(
            f"There is no result in {path}; make it with `make scores` or `python -m harness "
            f"space={space} task={task}`."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The result in {path} cannot be read ({error}); make it again.") from error
    if found != {(space, task)} or not complete:
        raise DataError(f"{path} is not a result of {space}/{task}; make it again.")
    return Column(space, task, scores, run)

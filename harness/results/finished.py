"""Finished results on disk: ``<root>/<space>/<task>/``, as ``job=correlate`` leaves them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.core.errors import DataError, HarnessError
from harness.results.folder import read_record
from harness.results.layout import CORRELATIONS, SCORES, SUMMARY
from harness.results.noise_ceiling import noise_ceiling
from harness.results.stored_table import stored_table
from harness.scoring.shard import SCHEMA
from harness.stats.comparisons import Joint, joint
from harness.stats.summary import CROWDED

# What figures call a space or a task; any other keeps its name.
SPACES = {
    "nb101": "NB101",
    "nb201": "NB201",
    "nb301": "NB301",
    "tnb101_micro": "TNB micro",
    "tnb101_macro": "TNB macro",
    "nats_sss": "NATS size",
    "autoformer": "AutoFormer",
    "pit": "PiT",
    "flexibert": "FlexiBERT",
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
    "vit_cifar100": "CIFAR-100",
    "flowers102": "Flowers",
    "chaoyang": "Chaoyang",
    "vit_imagenet": "ImageNet",
    "glue": "GLUE",
}

FEW = 100
"""Architectures: the interval of a correlation of fewer is wider than ±0.15."""


def label(space: str, task: str) -> str:
    """Returns what figures call a space and task: ``NB201 CIFAR-100``."""
    return f"{SPACES.get(space, space)} {TASKS.get(task, task)}"


@dataclass(frozen=True)
class Result:
    """One space and task; every file is read when it is first asked for, and once.

    Attributes:
        space: Search space.
        task: Task.
        folder: Where the files lie.
        proxies: Which proxies the tables hold; None for all that were scored.

    Raises:
        DataError: From whatever reads a file that is missing or broken.
    """

    space: str
    task: str
    folder: Path
    proxies: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """What tables call it: ``space/task``."""
        return f"{self.space}/{self.task}"

    @property
    def label(self) -> str:
        """What figures call it."""
        return label(self.space, self.task)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The table that the statistics take: a row per score, joined with the accuracy."""
        table = stored_table(self.folder, SCORES, ("key", "proxy", "seed", "value", "status"))
        return self._restricted(table)

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """``stats.correlations`` of the scores: a row per proxy and seed."""
        return self._restricted(stored_table(self.folder, CORRELATIONS, ("proxy", "seed")))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """``stats.summary`` of the scores: a row per proxy, bootstrap interval included."""
        table = stored_table(self.folder, SUMMARY, ("proxy",))
        scored = set(self.scores["proxy"]) if self.proxies is None else set(self.proxies)
        listed = table["proxy"][table["proxy"].isin(scored)]
        if (self.proxies is None and set(listed) != scored) or listed.duplicated().any():
            raise DataError(
                f"{self.folder / SUMMARY} does not have one row for each proxy that {SCORES} holds;"
                " make the result again."
            )
        return self._restricted(table)

    @cached_property
    def joint(self) -> Joint:
        """How the proxies and the accuracy correlate with each other, with resamples.

        Raises:
            HarnessError: If no two architectures have a score of every proxy.
        """
        return joint(self.scores, self.record["conditions"]["undefined"])

    @cached_property
    def record(self) -> dict[str, Any]:
        """The provenance."""
        return read_record(self.folder)

    @cached_property
    def seeds(self) -> int:
        """How many seeds are stored."""
        return int(self.scores["seed"].nunique())

    @cached_property
    def n(self) -> int:
        """Architectures per seed; the fewest where seeds differ."""
        return int(self.scores.groupby("seed")["key"].nunique().min())

    @property
    def few(self) -> bool:
        """Whether it rests on so few architectures that pictures let it step back."""
        return self.n < FEW

    @property
    def stand_in(self) -> bool:
        """Whether other images took the place of the task's own data set."""
        return bool(self.record["inputs"]["stand_in"])

    @property
    def images(self) -> str:
        """The name of the image set."""
        return str(self.record["inputs"]["source"])

    @property
    def ceiling(self) -> float:
        """The ρ that a perfect proxy would have, since training is noisy; NaN if unknown."""
        return noise_ceiling(self.space, self.task, str(self.record["truth"]["variant"]))

    @cached_property
    def crowded(self) -> dict[str, float]:
        """The proxies of which many scores are at their ceiling, and how many of them are."""
        if "at_ceiling" not in self.summary:  # of an older result
            return {}
        shares = self.summary.set_index("proxy")["at_ceiling"]
        return {str(name): float(share) for name, share in shares[shares > CROWDED].items()}

    def summary_of(self, proxy: str) -> dict[str, Any]:
        """Returns the row of one proxy in the summary.

        Raises:
            DataError: If it was not scored.
        """
        rows = self.summary[self.summary["proxy"] == proxy].to_dict("records")
        if len(rows) != 1:
            raise DataError(
                f"{self.folder / SUMMARY} has {len(rows)} rows of {proxy} instead of one; make the "
                "result again with that proxy."
            )
        return {str(name): value for name, value in rows[0].items()}

    def failures(self, status: Collection[str] = ("oom", "error")) -> int:
        """Counts the scores with one of these states."""
        return int(self.scores["status"].isin(status).sum())

    def _restricted(self, table: pd.DataFrame) -> pd.DataFrame:
        return table if self.proxies is None else table[table["proxy"].isin(self.proxies)]


def find_results(root: Path | str, study: str = "main") -> list[Result]:
    """Returns the results of a study, by space and task.

    Args:
        root: Folder of all results.
        study: Which study.

    Raises:
        HarnessError: If there are none.
    """
    found = [
        Result(path.parent.parent.name, path.parent.name, path.parent)
        for path in sorted(Path(root, study).glob(f"*/*/{SCORES}"))
        if not path.parent.name.startswith(".")
    ]
    if not found:
        raise HarnessError(
            f"There are no results in {Path(root, study)}; make some first, for example with "
            "python -m harness space=nb201 task=cifar100."
        )
    return found


def stored_scores(results: Path, space: str, task: str) -> pd.DataFrame:
    """Returns the scores that finished results of any study hold; a run need not make them again.

    A result that is damaged or older than this layout holds none.

    Returns:
        The columns of a shard; empty if there is nothing.
    """
    parts = [SCHEMA.empty_table().to_pandas()]
    for one in of_any_study(results, space, task):
        with suppress(DataError, KeyError, pa.ArrowException):
            rows = stored_table(one.folder, SCORES)
            parts.append(rows[rows.conditions != ""][SCHEMA.names])
    stored: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return stored


def of_any_study(results: Path, space: str, task: str) -> list[Result]:
    """Returns what any study, ``<study>`` or ``<set>/<study>``, has of a space and task."""
    return [
        Result(space, task, folder)
        for pattern in (f"*/{space}/{task}", f"*/*/{space}/{task}")
        for folder in sorted(results.glob(pattern))
        if not folder.name.startswith(".") and (folder / SCORES).exists()
    ]

"""What every job shares, and the record of one run's configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from harness.core.errors import HarnessError, cut
from harness.core.sections import Settings, section
from harness.core.typed import typed
from harness.executors.executor import ExecutorSettings, complete, executors
from harness.inputs.selection import InputSettings

S = TypeVar("S")

MOST_SEEDS = 10_000
PART = r"\w[\w.-]*"  # of a study's name: nothing absolute, hidden, or above
LONGEST_NAME = 200  # of a folder: systems take 255 bytes, and temporary names add some


@section("truth")
@dataclass(frozen=True)
class TruthSettings:
    """Which ground truth.

    Attributes:
        variant: One that the space and task have, ``default`` or ``csv``.
        path: Your own file: of ``csv`` with the columns key,value; of what is published without a
            checksum, your copy.
    """

    variant: str = "default"
    path: str | None = None


@section("")
@dataclass(frozen=True)
class SharedKeys:
    """The keys at the top level that every job has.

    Attributes:
        job: What to do; ``job=list`` shows all of them.
        space: Search space.
        task: Task of the space.
        seed: Seeds: ``3``, ``0..4`` (inclusive) or ``[0,2]``.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        channels_last: Memory layout of images: changes speed and rounding, and which noise a seed
            means to zen and az_*, whose images are drawn.
        results: Folder of all results.
        study: Name of the study that the result belongs to; empty for the job's own.
        overwrite: Replace a result of the same name that was made under other conditions.
    """

    job: str = "correlate"
    space: str = "nb201"
    task: str = "cifar10"
    seed: Any = 0
    device: str = "cpu"
    channels_last: bool = True
    results: str = "results"
    study: str = ""
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuses seeds that name none and results that name no folder.

        Raises:
            HarnessError: With what was expected.
        """
        if not self.results or "\0" in self.results:
            raise HarnessError("results= names no folder; write results=FOLDER.")
        if self.study and not re.fullmatch(rf"{PART}(/{PART})*", self.study):
            raise HarnessError(
                f"study={cut(self.study)} is no name below results=; take letters, digits, '_', "
                "'-', '.' and '/', and begin every part with a letter, a digit or '_'."
            )
        longest = max(map(len, f"{self.results}/{self.study}".split("/")))
        if longest > LONGEST_NAME:
            raise HarnessError(
                f"results and study hold a name of {longest} characters; take at most "
                f"{LONGEST_NAME} per folder."
            )
        parse_seeds(self.seed)

    @property
    def seeds(self) -> list[int]:
        """The seeds as a list."""
        return parse_seeds(self.seed)


@typed
@dataclass(frozen=True)
class Config(SharedKeys):
    """One run: what every job shares, and the sections and options of the job.

    Attributes:
        inputs: Which images.
        truth: Which ground truth.
        executor: Where the work runs.
        sections: The records of settings that the job reads, by type.
        options: The job's own keys.
    """

    inputs: InputSettings = field(default_factory=InputSettings)
    truth: TruthSettings = field(default_factory=TruthSettings)
    executor: ExecutorSettings = field(default_factory=lambda: executors.get("processes").defaults)
    sections: Settings = field(default_factory=Settings)
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fills in what the executor makes of the device and the folder of results."""
        super().__post_init__()
        here = complete(self.executor).at(self.device, Path(self.results))
        object.__setattr__(self, "executor", here)

    def of(self, kind: type[S]) -> S:
        """Returns the settings of one type that the job reads."""
        return self.sections.of(kind)


def parse_seeds(text: object, key: str = "seed") -> list[int]:
    """Returns the seeds that ``3``, ``"0..4"`` (inclusive) or ``[0, 2]`` name, without repeats.

    Args:
        text: What the user wrote.
        key: Name of the configuration key, for the error.

    Raises:
        HarnessError: If the text names no seeds.
    """
    if isinstance(text, (list, tuple, range)):
        seeds = [seed for part in text[: MOST_SEEDS + 1] for seed in parse_seeds(part, key)]
    elif match := re.fullmatch(r"(\d{1,18})\.\.(\d{1,18})", str(text)):  # fit 64 bits
        seeds = list(range(int(match[1]), int(match[2]) + 1)[: MOST_SEEDS + 1])
    elif re.fullmatch(r"\d{1,18}", str(text)):
        seeds = [int(str(text))]
    else:
        seeds = []
    if not seeds:
        raise HarnessError(
            f"{key}={cut(text)} names no seeds; write {key}=3, {key}=0..4 (inclusive) or "
            f"{key}=[0,2]."
        )
    if len(seeds) > MOST_SEEDS:
        raise HarnessError(f"{key}={cut(text)} names more than {MOST_SEEDS:,} seeds; take fewer.")
    return list(dict.fromkeys(seeds))

"""Trains architectures through the executors: one training per shard, which goes on if it stops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from harness.config import Config
from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.core.files import atomic, make_writable
from harness.core.machine import machine
from harness.core.versions import definition
from harness.executors.executor import ExecutorSettings
from harness.executors.missing_work import run_missing
from harness.executors.progress import LINE_SECONDS, console
from harness.inputs.selection import InputSettings
from harness.results.layout import work_path
from harness.scoring.conditions import check_device, device_type, digest
from harness.training import checkpoints
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.architecture_training import ArchitectureTraining
from harness.training.trained_networks import build, space_of
from harness.training.training_images import TrainingImages, training_images

EPOCHS = "epochs.csv"


@dataclass(frozen=True)
class ArchitectureConditions:
    """Everything that decides a trained network besides the architecture and the training seed."""

    space: str
    task: str
    inputs: InputSettings
    recipe: ArchitectureRecipe
    device: str
    work: Path

    @classmethod
    def of(cls, config: Config, recipe: ArchitectureRecipe) -> ArchitectureConditions:
        """Returns those of a run."""
        work = work_path(config, "train", config.space, config.task)
        return cls(config.space, config.task, config.inputs, recipe, config.device, work)

    def images(self) -> TrainingImages:
        """Returns the training and the test images."""
        return training_images(self.task, self.inputs, self.recipe)

    @cached_property
    def shared(self) -> dict[str, Any]:
        """The conditions as JSON has them."""
        values = asdict(self.recipe) | {"mixed_precision": self.recipe.half_precision(self.device)}
        del values["held_out"]  # the description of the images says what it did
        return {
            "space": self.space,
            "space_definition": definition(type(space_of(self.space))),
            "task": self.task,
            "train_architecture": values,
            "definition": definition(ArchitectureTraining),
            "images": self.images().described,
            "device": device_type(self.device),
        }

    def described(self, key: str) -> dict[str, Any]:
        """Returns the conditions together with an architecture."""
        return self.shared | {"architecture": key}

    def weights(self, key: str) -> Path:
        """Returns where the checkpoints of an architecture lie, a folder per seed."""
        return self.work / digest(self.described(key))

    def refuse_a_part(self) -> None:
        """Refuses images that are a part of their data set.

        Raises:
            HarnessError: With how many there are.
        """
        if partial := self.images().partial:
            raise HarnessError(
                f"Only {' and '.join(partial)} are here, and an accuracy after training on these "
                "could not be compared with any other; get the whole set (remove the part, then "
                "job=data fetch=), or say incomplete=true."
            )


@dataclass(frozen=True)
class ArchitectureShard:
    """One training: an architecture with one seed."""

    conditions: ArchitectureConditions
    key: str
    seed: int

    size = 1

    @property
    def folder(self) -> Path:
        """Where its checkpoints and its epochs lie."""
        return self.conditions.weights(self.key) / f"seed_{self.seed}"

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return checkpoints.epochs_done(self.folder) >= self.conditions.recipe.epochs

    def new_training(self) -> ArchitectureTraining:
        """Returns the training before its first epoch."""
        conditions = self.conditions
        with seeds.torch_stream("weights", self.seed, self.key):
            network = build(conditions.space, self.key, conditions.task, conditions.recipe)
        return ArchitectureTraining(network, conditions.recipe, self.seed, conditions.device)


@dataclass(frozen=True)
class Trained:
    """What a finished training left: a row per epoch, and who computed it."""

    epochs: pd.DataFrame
    computed: list[dict[str, Any]]


def train_missing(shards: Sequence[ArchitectureShard], executor: ExecutorSettings) -> list[Trained]:
    """Finishes trainings and returns what they left, in the same order.

    Raises:
        HarnessError: If a network cannot be built, a training diverges, or workers were lost.
        DataError: If a checkpoint is damaged.
    """
    if not shards:
        return []
    conditions = shards[0].conditions
    run_missing(
        train_architecture,
        lambda: [shard for shard in shards if not shard.finished],
        executor,
        title=f"training {conditions.space} on {conditions.task}",
        total=len(shards),
        folder=conditions.work,
    )
    return [_left(shard) for shard in shards]


def train_architecture(shard: ArchitectureShard) -> int:
    """Trains what is left of the epochs, saving after each; returns how many trainings it was."""
    check_device(shard.conditions.device)
    training, folder = shard.new_training(), shard.folder
    images, computed = shard.conditions.images(), _go_on(training, folder)
    device = training.device
    learned, tested = images.training.on(device), images.test.on(device)
    computed = distinct([*computed, machine(shard.conditions.device)])
    make_writable(folder)
    said = time.monotonic()
    for _ in range(training.epoch, training.recipe.epochs):
        start = time.monotonic()
        row = training.train_epoch(learned)
        row |= training.accuracy(tested) | {"seconds": round(time.monotonic() - start, 2)}
        training.history.append(row)
        checkpoints.write(folder, training.epoch, training.state() | {"computed": computed})
        _write_epochs(folder, training.history)
        if time.monotonic() - said >= LINE_SECONDS:
            said = time.monotonic()
            _say(folder, row, training.recipe.epochs)
    return shard.size


def _go_on(training: ArchitectureTraining, folder: Path) -> list[dict[str, Any]]:
    """Restores the last finished epoch, if there is one; returns who computed it."""
    if (last := checkpoints.newest(folder)) is None:
        return []
    state = checkpoints.read(last, training.device)
    try:
        training.restore(state)
        computed: list[dict[str, Any]] = state["computed"]
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"The checkpoint {last} is of another network or version "
            f"({str(error).splitlines()[0]}); delete {folder} to train from the start."
        ) from error
    console.print(f"{folder.name}: goes on after epoch {training.epoch}.", highlight=False)
    return computed


def _left(shard: ArchitectureShard) -> Trained:
    last = checkpoints.newest(shard.folder)
    assert last is not None
    state = checkpoints.read(last, "cpu")
    return Trained(pd.DataFrame(state["history"]).assign(seed=shard.seed), state["computed"])


def _write_epochs(folder: Path, history: Sequence[dict[str, float]]) -> None:
    """Writes a line per epoch beside the checkpoint; no kill leaves half a line."""
    with atomic(folder / EPOCHS) as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False, lineterminator="\n")


def _say(folder: Path, row: dict[str, float], epochs: int) -> None:
    line = (
        f"{folder.parent.name} {folder.name}: epoch {row['epoch']:.0f} of {epochs}, loss "
        f"{row['loss']:.3f}, test accuracy {row['test_accuracy']:.2f} %, {row['seconds']:.0f} s"
    )
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def distinct(machines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns each machine once."""
    return [one for i, one in enumerate(machines) if one not in machines[:i]]

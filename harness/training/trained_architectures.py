"""``job=train``: one architecture, trained once per seed, and the result of all seeds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import track
from torch import nn

from harness.config import Config
from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.core.files import make_writable
from harness.core.machine import machine
from harness.core.versions import definition
from harness.executors.progress import console
from harness.inputs.description import amount_in_words, describe_amount
from harness.inputs.tasks import tasks
from harness.results import record
from harness.results.folder import refuse_other_conditions, replacing
from harness.results.layout import result_path, work_path
from harness.results.stored_table import stored_table
from harness.scoring.conditions import check_device, device_type, digest
from harness.scoring.single import key_of
from harness.spaces.darts_skeleton import Skeleton
from harness.spaces.nb301 import parse
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.space import spaces
from harness.training import checkpoints
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.architecture_training import ArchitectureTraining
from harness.training.labelled_images import Parts, training_and_test

DARTS_SPACES = ("darts", "nb301")
LOG = "log.csv"
COLUMNS = ["seed", "epoch", "learning_rate", "loss", "test_accuracy"]


def train_seeds(
    config: Config, recipe: ArchitectureRecipe, architecture: object, *, incomplete: bool = False
) -> Path:
    """Trains what neither the result nor a checkpoint has, and adds it to the result.

    Args:
        config: The run.
        recipe: How to train.
        architecture: A key, or ``Genotype(normal=[...], ...)``.
        incomplete: Whether a part of the training images will do.

    Raises:
        HarnessError: If no architecture is named, it does not fit the space, the task or the
            recipe, the training images are not all there, or the result was made under other
            conditions.
        DataError: If images, a checkpoint or the result are damaged.
    """
    check_device(config.device)
    key = _key(config, architecture)
    parts = training_and_test(
        tasks.get(config.task), config.inputs, recipe.held_out, recipe.batch_size
    )
    if not incomplete:
        _refuse_a_part(config)
    conditions = _conditions(config, recipe, key, parts)
    folder = result_path(config, digest(key))
    work = _work(config, conditions)
    log, _ = _stored(folder, conditions, config)
    missing = [seed for seed in config.seeds if seed not in set(log.seed)]
    made, computed = [], list[dict[str, Any]]()
    for seed in missing:
        with seeds.torch_stream("weights", seed, key):
            network = build(config.space, key, config.task, recipe)
        training = ArchitectureTraining(network, recipe, seed, config.device)
        computed += _finish(training, parts, work / f"seed_{seed}")
        made.append(pd.DataFrame(training.history).assign(seed=seed)[COLUMNS])
    if missing:
        log, earlier = _stored(folder, conditions, config)  # another run may have added seeds
        log = pd.concat([part for part in (log, *made) if not part.empty], ignore_index=True)
        log = log.drop_duplicates(["seed", "epoch"]).sort_values(["seed", "epoch"])
        _write(folder, log, conditions, _distinct(earlier + computed), config)
    last = log.groupby("seed").test_accuracy.last()
    console.print(f"Test accuracy: {last.mean():.2f} % over seeds {list(last.index)}.")
    console.print(f"Weights: {work}", soft_wrap=True)
    return folder


def _refuse_a_part(config: Config) -> None:
    amount = describe_amount(tasks.get(config.task), config.inputs)
    if amount["of"] is not None and amount["n"] < amount["of"]:
        raise HarnessError(
            f"Only {amount_in_words(**amount)} of {config.task} are here, and an accuracy after "
            "training on these could not be compared with any other; get the whole set (remove the "
            "part, then job=data fetch=), or say incomplete=true."
        )


def _key(config: Config, architecture: object) -> str:
    space = spaces.get(config.space)
    space.task(config.task)
    if architecture in (None, ""):
        raise HarnessError(
            "No architecture to train; name one with architecture=KEY, a key as selected.csv of a "
            "search has it."
        )
    return key_of(space, architecture)


def build(space: str, key: str, task: str, recipe: ArchitectureRecipe) -> nn.Module:
    """Builds the network to train; weights come from torch's global generator.

    Raises:
        HarnessError: If the recipe asks for an auxiliary head that the network cannot have.
    """
    spec = tasks.get(task)
    if space not in DARTS_SPACES:
        if recipe.auxiliary or recipe.drop_path:
            raise HarnessError(
                f"The networks of {space} have no auxiliary head and no paths to drop; set "
                "train_architecture.auxiliary=0 train_architecture.drop_path=0."
            )
        return spaces.get(space).network(key, spec)
    if recipe.auxiliary and spec.image_side != 32:
        raise HarnessError(
            f"The auxiliary head needs 32×32 images, but those of {task} are {spec.image_side} "
            "wide; set train_architecture.auxiliary=0."
        )
    skeleton = Skeleton(recipe.channels, recipe.layers, auxiliary=recipe.auxiliary > 0)
    return DartsNetwork(parse(key), skeleton, spec.outputs)


def _conditions(
    config: Config, recipe: ArchitectureRecipe, key: str, parts: Parts
) -> dict[str, Any]:
    values = asdict(recipe)
    del values["held_out"]  # the description of the images says what it did
    return {
        "space": config.space,
        "space_definition": definition(type(spaces.get(config.space))),
        "task": config.task,
        "architecture": key,
        "train_architecture": values,
        "definition": definition(ArchitectureTraining),
        "images": parts.described,
        "device": device_type(config.device),
    }


def _work(config: Config, conditions: dict[str, Any]) -> Path:
    """Returns where the checkpoints of all seeds lie."""
    return work_path(config, "train", config.space, config.task, digest(conditions))


def _finish(training: ArchitectureTraining, parts: Parts, folder: Path) -> list[dict[str, Any]]:
    """Trains what is left of the epochs, saving after each; returns who trained."""
    make_writable(folder)
    computed: list[dict[str, Any]] = []
    if (last := checkpoints.newest(folder)) is not None:
        state = checkpoints.read(last, training.device)
        try:
            training.restore(state)
            computed = state["computed"]
        except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise DataError(
                f"The checkpoint {last} is of another network or version "
                f"({str(error).splitlines()[0]}); delete {folder} to train from the start."
            ) from error
        console.print(f"{folder.name}: goes on after epoch {training.epoch}.", highlight=False)
    left = range(training.epoch, training.recipe.epochs)
    if left:
        computed = _distinct([*computed, machine(str(training.device))])
    for _ in track(left, description=folder.name, console=console, disable=not left):
        row = training.train_epoch(parts.training)
        training.history.append(row | {"test_accuracy": training.accuracy(parts.test)})
        checkpoints.write(folder, training.epoch, training.state() | {"computed": computed})
    return computed


def _stored(
    folder: Path, conditions: dict[str, Any], config: Config
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Returns the log and the machines of a result that this run adds to."""
    old = refuse_other_conditions(folder, conditions, overwrite=config.overwrite, additive=())
    if old is None:
        return pd.DataFrame(columns=COLUMNS), []
    return stored_table(folder, LOG), old["computed"]


def _write(
    folder: Path,
    log: pd.DataFrame,
    conditions: dict[str, Any],
    computed: list[dict[str, Any]],
    config: Config,
) -> None:
    last = log.groupby("seed").test_accuracy.last()
    work = _work(config, conditions).relative_to(config.results)
    resolved = {
        "seeds": [int(seed) for seed in last.index],
        "test_accuracy": [float(accuracy) for accuracy in last],
        "weights": work.as_posix(),
    }
    with replacing(folder) as fresh:
        log.to_csv(fresh / LOG, index=False, lineterminator="\n")
        made = record.of_run(
            config, conditions=conditions, resolved=resolved, truth={}, computed=computed
        )
        record.write(fresh, made)


def _distinct(machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for i, one in enumerate(machines) if one not in machines[:i]]

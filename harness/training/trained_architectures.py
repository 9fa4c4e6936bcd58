"""``job=train``: one architecture, trained once per seed, and the result of all seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import torch

from harness.config import Config
from harness.executors.progress import console
from harness.results import record
from harness.results.folder import refuse_other_conditions, replacing
from harness.results.layout import result_path
from harness.results.stored_table import stored_table
from harness.scoring.conditions import digest
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.architecture_shards import (
    EPOCHS,
    ArchitectureConditions,
    ArchitectureShard,
    distinct,
    train_missing,
)
from harness.training.trained_networks import build, key_to_train

LOG = "log.csv"
COLUMNS = ["seed", "epoch", "learning_rate", "loss", "test_accuracy", "test_top5"]


def train_seeds(
    config: Config, recipe: ArchitectureRecipe, architecture: object, *, incomplete: bool = False
) -> Path:
    """Trains what neither the result nor a checkpoint has, and adds it to the result.

    Args:
        config: The run.
        recipe: How to train.
        architecture: A key, or ``Genotype(normal=[...], ...)``.
        incomplete: Whether a part of the images will do.

    Raises:
        HarnessError: If no architecture is named, it does not fit the space, the task or the
            recipe, the images are not all there, the result was made under other conditions, or
            workers were lost.
        DataError: If images, a checkpoint or the result are damaged.
    """
    key = key_to_train(config.space, config.task, architecture)
    with torch.device("meta"):
        build(config.space, key, config.task, recipe)  # what cannot be is told before any work
    under = ArchitectureConditions.of(config, recipe)
    if not incomplete:
        under.refuse_a_part()
    conditions, folder = under.described(key), result_path(config, digest(key))
    log, _ = _stored(folder, conditions, config)
    missing = [seed for seed in config.seeds if seed not in set(log.seed)]
    if missing:
        console.print(f"Epochs: {under.weights(key)}/seed_*/{EPOCHS}", soft_wrap=True)
        trained = train_missing(
            [ArchitectureShard(under, key, s) for s in missing], config.executor
        )
        log, computed = _stored(folder, conditions, config)  # another run may have added seeds
        parts = [part for part in (log, *(one.epochs[COLUMNS] for one in trained)) if len(part)]
        log = pd.concat(parts, ignore_index=True).drop_duplicates(["seed", "epoch"])
        log = log.sort_values(["seed", "epoch"])
        for one in trained:
            computed += one.computed
        _write(log, under, key, distinct(computed), config)
    last = log.groupby("seed").test_accuracy.last()
    console.print(f"Test accuracy: {last.mean():.2f} % over seeds {list(last.index)}.")
    console.print(f"Weights: {under.weights(key)}", soft_wrap=True)
    return folder


def _stored(
    folder: Path, conditions: dict[str, Any], config: Config
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Returns the log and the machines of a result that this run adds to."""
    old = refuse_other_conditions(folder, conditions, overwrite=config.overwrite, additive=())
    if old is None:
        return pd.DataFrame(columns=COLUMNS), []
    return stored_table(folder, LOG), old["computed"]


def _write(
    log: pd.DataFrame,
    under: ArchitectureConditions,
    key: str,
    computed: list[dict[str, Any]],
    config: Config,
) -> None:
    last = log.groupby("seed").test_accuracy.last()
    resolved = {
        "seeds": [int(seed) for seed in last.index],
        "test_accuracy": [float(accuracy) for accuracy in last],
        "weights": under.weights(key).relative_to(config.results).as_posix(),
    }
    with replacing(result_path(config, digest(key))) as fresh:
        log.to_csv(fresh / LOG, index=False, lineterminator="\n")
        made = record.of_run(
            config,
            conditions=under.described(key),
            resolved=resolved,
            truth={},
            computed=computed,
            inputs=under.images().inputs,
        )
        record.write(fresh, made)

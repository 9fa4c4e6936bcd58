"""The table that ``job=train_truth`` leaves: accuracies, and at its head how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.config import Config, parse_seeds
from harness.training.truth_recipe import TruthRecipe

TABLE = "accuracies.csv"
COLUMN = "accuracy_"


def read_table(path: Path) -> pd.DataFrame:
    """Returns accuracies in percent, key by training seed; missing where a run was not made."""
    with path.open(encoding="utf-8") as file:  # not comment="#": a key may have one
        head = sum(1 for _ in takewhile(lambda line: line.startswith("#"), file))
    table = pd.read_csv(path, skiprows=head, dtype={"key": str}).set_index("key")
    return table.rename(columns=lambda name: int(name.removeprefix(COLUMN)))


def write_table(
    path: Path,
    accuracies: pd.DataFrame,
    config: Config,
    recipe: TruthRecipe,
    conditions: Mapping[str, Any],
) -> None:
    """Writes accuracies, key by training seed, with the recipe as comments before them."""
    columns = {seed: f"{COLUMN}{seed}" for seed in accuracies.columns}
    table = accuracies.rename(columns=columns).round(4).to_csv(lineterminator="\n")
    head = (*_made(accuracies, conditions, config.seeds[0]), *_spread(accuracies))
    command = f"Made by: {_command(accuracies, config, recipe)}"
    lines = "".join(f"# {line}\n" for line in (*head, command))
    path.write_text(lines + table, encoding="utf-8", newline="\n")


def _made(accuracies: pd.DataFrame, conditions: Mapping[str, Any], sample: int) -> Iterator[str]:
    images, recipe = conditions["images"], conditions["train_truth"]
    yield (
        f"Top-1 test accuracy in percent of {len(accuracies)} {conditions['space']} architectures "
        f"(the first of seed {sample}'s sample) on {conditions['task']}, one column per training "
        "seed."
    )
    yield (
        "Images: "
        + " and ".join(
            f"{part['n']} {name} images ({part['images']})" for name, part in images.items()
        )
        + "."
    )
    yield (
        f"{', '.join(f'{name}={value}' for name, value in recipe.items())}; SGD with Nesterov "
        "momentum, cosine learning rate, no augmentation; the network that is scored, default "
        "initialisation."
    )


def _spread(accuracies: pd.DataFrame) -> Iterator[str]:
    """Says how far accuracies lie apart, between architectures and between training seeds."""
    values = accuracies.to_numpy()
    runs, means = accuracies.std(axis=1, ddof=1).mean(), accuracies.mean(axis=1)
    yield f"Accuracies from {np.nanmin(values):.1f} to {np.nanmax(values):.1f}."
    if len(accuracies) < 2 or len(accuracies.columns) < 2:
        return
    between = accuracies.corr(method="spearman").to_numpy()
    agreement = between[np.triu_indices_from(between, k=1)].mean()
    yield (
        f"Standard deviation between training seeds {runs:.2f} on average, between architectures "
        f"{means.std():.2f}."
    )
    yield f"Spearman between two training seeds {agreement:.3f} on average."


def _command(accuracies: pd.DataFrame, config: Config, recipe: TruthRecipe) -> str:
    """Returns the command that makes the whole table, of several runs too."""
    seeds = [int(seed) for seed in accuracies.columns]
    keys = {
        "space": config.space,
        "task": config.task,
        "n": len(accuracies),
        **({"seed": config.seeds[0]} if config.seeds[0] else {}),
        **({"inputs": config.inputs.source} if config.inputs.source != "task" else {}),
        **({"device": config.device} if config.device != "cpu" else {}),
    }
    for field in fields(TruthRecipe):
        if field.name != "seeds" and (value := getattr(recipe, field.name)) != field.default:
            keys[f"train_truth.{field.name}"] = value
    if seeds != parse_seeds(TruthRecipe.seeds):
        keys["train_truth.seeds"] = f"[{','.join(map(str, seeds))}]"
    return "python -m harness job=train_truth " + " ".join(f"{k}={v}" for k, v in keys.items())

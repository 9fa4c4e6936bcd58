"""``job=train_truth``: ground truth by training a sample of a space from scratch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import torch

from harness.config import Config, parse_seeds
from harness.core import seeds
from harness.core.errors import HarnessError
from harness.core.files import make_writable
from harness.core.machine import machine
from harness.core.versions import definition
from harness.executors.progress import blocks, run_shards
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.results import record
from harness.results.folder import checked, refuse_other_conditions, replacing, unreadable
from harness.results.layout import result_path, work_path
from harness.scoring.conditions import check_device, device_type, digest
from harness.scoring.table import ShardFolder
from harness.spaces.space import spaces
from harness.training.accuracy_table import TABLE, read_table, write_table
from harness.training.labelled_images import Parts, training_and_test
from harness.training.truth_recipe import TruthRecipe
from harness.training.truth_training import accuracy, train

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("training_seed", pa.int64()),
        ("accuracy", pa.float64()),
        ("conditions", pa.string()),
        ("machine", pa.string()),
    ]
)
IDENTITY = ["key", "training_seed", "conditions"]
SHARD_SIZE = 2  # architectures: each may take minutes


@dataclass(frozen=True)
class TruthConditions:
    """Everything that decides an accuracy besides the architecture and the training seed."""

    space: str
    task: str
    inputs: InputSettings
    recipe: TruthRecipe
    device: str

    def parts(self) -> Parts:
        """Returns the training and the test images."""
        task, recipe = tasks.get(self.task), self.recipe
        return training_and_test(task, self.inputs, recipe.held_out, recipe.batch_size)

    @cached_property
    def described(self) -> dict[str, Any]:
        """The conditions as JSON has them."""
        values = asdict(self.recipe)
        del values["seeds"], values["held_out"]  # the images' description has what it did
        return {
            "space": self.space,
            "space_definition": definition(type(spaces.get(self.space))),
            "task": self.task,
            "train_truth": values,
            "definition": definition(train),
            "images": self.parts().described,
            "device": device_type(self.device),
        }

    @property
    def fingerprint(self) -> str:
        """Names these conditions."""
        return digest(self.described)


@dataclass(frozen=True)
class TrainingShard:
    """Some architectures to train, each with the same training seeds."""

    conditions: TruthConditions
    keys: tuple[str, ...]
    training_seeds: tuple[int, ...]
    folder: Path


def train_sample(config: Config, recipe: TruthRecipe, n: int) -> Path:
    """Trains what neither the result nor an earlier run has, and adds it to the result.

    Raises:
        HarnessError: If a setting makes no sense, workers were lost, or the result was made under
            other conditions.
        DataError: If images or the result are damaged.
    """
    keys, training_seeds = _asked(config, recipe, n)
    conditions = TruthConditions(config.space, config.task, config.inputs, recipe, config.device)
    stored, _ = _stored(config, conditions)
    if not list(_lacking(stored, keys, training_seeds)):
        return result_path(config)
    work = work_path(config, "train_truth", config.space, config.task)
    store = ShardFolder(work, SCHEMA, IDENTITY)
    known = _wide(_rows(store, conditions)).combine_first(stored)
    shards = [
        TrainingShard(conditions, tuple(block), absent, work)
        for absent, lacking in _lacking(known, keys, training_seeds)
        for block in blocks(lacking, SHARD_SIZE)
    ]
    if shards:
        make_writable(work)  # what is wrong with it is told before any work
    run_shards(
        train_shard,
        shards,
        config.executor,
        title=f"training {config.space} on {config.task}",
        done=len(keys) - sum(len(shard.keys) for shard in shards),
        total=len(keys),
    )
    return _add(config, conditions, _rows(store, conditions), keys, training_seeds)


def train_shard(shard: TrainingShard) -> int:
    """Trains the architectures of one shard and stores their accuracies; returns how many."""
    conditions, device = shard.conditions, shard.conditions.device
    check_device(device)
    parts = conditions.parts()
    training, test = parts.training.whole(device), parts.test.whole(device)
    computed_on = json.dumps(machine(device), sort_keys=True)
    space, rows = spaces.get(conditions.space), []
    for key in shard.keys:
        for seed in shard.training_seeds:
            network = space.build(key, conditions.task, seed).to(device)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            with seeds.torch_stream("training", seed, key, device=device):
                train(network, training, conditions.recipe, seed)
            result = accuracy(network, test)
            rows.append((key, seed, result, conditions.fingerprint, computed_on))
    work = (conditions.fingerprint, shard.keys, shard.training_seeds)
    store = ShardFolder(shard.folder, SCHEMA, IDENTITY)
    store.write(work, pd.DataFrame(rows, columns=SCHEMA.names))
    return len(shard.keys)


def _asked(config: Config, recipe: TruthRecipe, n: int) -> tuple[list[str], list[int]]:
    """Returns the architectures and the training seeds that a run asks for."""
    if len(config.seeds) > 1 or n < 1:
        raise HarnessError(
            f"n={n} must be a number of architectures, at least 1, and seed={config.seed} the one "
            "seed of their sample; train_truth.seeds are those of the trainings."
        )
    space = spaces.get(config.space)
    space.task(config.task)
    return space.sample(n, config.seeds[0]), parse_seeds(recipe.seeds)


def _stored(
    config: Config, conditions: TruthConditions
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Returns the accuracies and the machines of a result that this run adds to."""
    folder, described = result_path(config), _of_sample(config, conditions)
    old = refuse_other_conditions(folder, described, overwrite=config.overwrite, additive=())
    if old is None:
        return _wide(SCHEMA.empty_table().to_pandas()), []
    path = checked(folder, TABLE)
    try:
        return read_table(path), old["computed"]
    except Exception as error:  # an odd CSV raises nearly anything
        raise unreadable(path, error) from error


def _of_sample(config: Config, conditions: TruthConditions) -> dict[str, Any]:
    """Adds which sample it is: of another one, the first n could not be told."""
    return {**conditions.described, "sample": config.seeds[0]}


def _rows(store: ShardFolder, conditions: TruthConditions) -> pd.DataFrame:
    rows = store.read()
    return rows[rows.conditions == conditions.fingerprint]


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns accuracies, key by training seed."""
    return rows.pivot_table(index="key", columns="training_seed", values="accuracy")


def _lacking(
    known: pd.DataFrame, keys: Sequence[str], training_seeds: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], list[str]]]:
    """Yields training seeds and the architectures that lack just these."""
    asked = known.reindex(index=list(keys), columns=list(training_seeds))
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for key, row in asked.isna().iterrows():
        groups[tuple(int(seed) for seed in row.index[row])].append(str(key))
    yield from ((absent, lacking) for absent, lacking in groups.items() if absent)


def _add(
    config: Config,
    conditions: TruthConditions,
    rows: pd.DataFrame,
    keys: Sequence[str],
    training_seeds: Sequence[int],
) -> Path:
    """Writes the result: what it held, as other runs may have left it meanwhile, and the rows."""
    stored, earlier = _stored(config, conditions)
    rows = rows[rows.key.isin(keys) & rows.training_seed.isin(training_seeds)]
    table = _wide(rows).combine_first(stored)
    if list(_lacking(table, keys, training_seeds)):
        raise HarnessError(
            "Accuracies are still missing although all work was done; if workers ran on other "
            "machines, choose a results= folder that all of them share."
        )
    # Both are the first of one sample, so that the longer one has the order of all.
    order = list(dict.fromkeys([*stored.index, *keys]))
    table = table.loc[order, sorted(table.columns)]
    machines = [json.loads(text) for text in rows.machine.unique()]
    computed = [*earlier, *(one for one in machines if one not in earlier)]
    resolved = {"n": len(table), "train_truth.seeds": list(table.columns)}
    with replacing(result_path(config)) as fresh:
        write_table(fresh / TABLE, table, config, conditions.recipe, conditions.described)
        made = record.of_run(
            config,
            conditions=_of_sample(config, conditions),
            resolved=resolved,
            truth={},
            computed=computed,
        )
        record.write(fresh, made)
    return result_path(config)

"""Measures operation scores in supernets, one shard per method and seed, and keeps them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.core.machine import machine
from harness.core.types import Batch
from harness.executors.executor import ExecutorSettings
from harness.inputs.batch import load_batch
from harness.inputs.image_sets import read_image_set
from harness.inputs.selection import image_set_of
from harness.inputs.tasks import tasks
from harness.scoring.conditions import check_device, described, digest
from harness.scoring.table import ShardFolder
from harness.search.supernets.named_supernets import supernet
from harness.search.supernets.supernet import Edge, Supernet
from harness.search.zero_cost_pt import trained_scores
from harness.search.zero_cost_pt.missing_work import run_missing
from harness.search.zero_cost_pt.operation_tables import TRAINED
from harness.search.zero_cost_pt.perturbation import KERNEL_PROXY, discretised_scores, masked_scores
from harness.search.zero_cost_pt.supernet_scoring import SupernetScoring
from harness.training.labelled_images import LabelledImages
from harness.training.supernet_recipe import SupernetRecipe
from harness.training.supernet_training import Halves, train_supernet

COLUMNS = pa.schema(
    dict.fromkeys(("method", "setting", "operation", "machine"), pa.string())
    | dict.fromkeys(("seed", "edge"), pa.int64())
    | {"value": pa.float64()}
)
Asked = Sequence[tuple[str, int]]
"""Methods and seeds."""


@dataclass(frozen=True)
class OperationScoreConditions(SupernetScoring):
    """Everything that decides an operation score besides the method and the seed.

    Attributes:
        recipe: How the supernet of the trained methods is trained.
        work: Folder of what is measured, whatever the conditions.
    """

    recipe: SupernetRecipe
    work: Path

    def setting(self, method: str) -> str:
        """Names what a user chooses about a method: ``nwot, faithful``, or the course."""
        if method in TRAINED:
            return f"{self.recipe.epochs} epochs, {self.recipe.images or 'all'} images"
        proxy = self.settings.proxy
        return f"{proxy}, {self.settings.counting}" if proxy == KERNEL_PROXY else proxy

    def of_method(self, method: str) -> dict[str, Any]:
        """Returns what decides a method's scores alone; trained ones share a training."""
        return {"recipe": asdict(self.recipe)} if method in TRAINED else self.own()

    def described(self, methods: Sequence[str]) -> dict[str, Any]:
        """Returns what decides the scores of some methods, as a record says it."""
        return self.shared() | {
            "methods": {f"{one}: {self.setting(one)}": self.of_method(one) for one in methods}
        }

    def table(self, method: str) -> ShardFolder:
        """Returns the table of the methods that are measured together with one, or like it."""
        folder = self.work / digest(self.shared() | self.of_method(method), length=20)
        return ShardFolder(folder, COLUMNS, ["method", "seed", "edge", "operation"])

    def read(self, method: str, seed: int) -> pd.DataFrame:
        """Returns what is measured; nothing where it is not."""
        rows = self.table(method).read()
        return rows[(rows.method == method) & (rows.seed == seed)]


@dataclass(frozen=True)
class MethodShard:
    """One seed of the methods that share a supernet."""

    conditions: OperationScoreConditions
    methods: tuple[str, ...]
    seed: int

    @property
    def size(self) -> int:
        """Number of methods."""
        return len(self.methods)


def measure(
    conditions: OperationScoreConditions, asked: Asked, executor: ExecutorSettings
) -> pd.DataFrame:
    """Measures what earlier runs have not finished.

    Returns:
        ``COLUMNS`` of all that was asked for; a higher value is better.

    Raises:
        HarnessError: If the folder cannot be written, or workers were lost.
    """
    run_missing(
        measure_shard,
        lambda: missing_shards(conditions, asked),
        executor,
        title=f"operation scores of {conditions.conditions.space}",
        total=len(asked),
        folder=conditions.work,
    )
    nothing: pd.DataFrame = COLUMNS.empty_table().to_pandas()
    parts = [conditions.read(method, seed) for method, seed in asked]
    return pd.concat([nothing, *parts], ignore_index=True)


def missing_shards(conditions: OperationScoreConditions, asked: Asked) -> list[MethodShard]:
    """Returns the shards that are not stored; trained methods of a seed share one training."""
    lacking: dict[tuple[int, str], list[str]] = defaultdict(list)
    for method, seed in asked:
        if conditions.read(method, seed).empty:
            lacking[seed, "" if method in TRAINED else method].append(method)
    return [MethodShard(conditions, tuple(some), seed) for (seed, _), some in lacking.items()]


def measure_shard(shard: MethodShard) -> int:
    """Scores every operation of one supernet and stores the rows; returns how many methods.

    Raises:
        HarnessError: If this machine lacks the device, or the supernet cannot be trained.
    """
    scoring, seed, first = shard.conditions, shard.seed, shard.methods[0]
    space, task, device = (getattr(scoring.conditions, key) for key in ("space", "task", "device"))
    check_device(device)
    net = supernet(space, task, seed).to(device)
    score = (_trained if first in TRAINED else _untrained)(scoring, net, seed)
    rows = [
        {"method": method, "edge": edge[1], "operation": name, "value": value}
        for method in shard.methods
        for edge in net.edges()
        for name, value in zip(net.names(edge), score[method](edge), strict=True)
    ]
    computed_on = json.dumps(machine(device), sort_keys=True)
    table = pd.DataFrame(rows).assign(
        setting=scoring.setting(first), seed=seed, machine=computed_on
    )
    scoring.table(first).write((*shard.methods, seed), table)
    return len(shard.methods)


MethodScores = Mapping[str, Callable[[Edge], list[float]]]


def _untrained(scoring: OperationScoreConditions, net: Supernet, seed: int) -> MethodScores:
    """Returns zc-pt and disc-zc at iteration 0: no edge is decided, each has its own batch."""

    def batch(edge: Edge) -> Batch:
        return scoring.conditions.batch(seeds.stream("operation scores", seed, *edge))

    settings = scoring.settings
    return {
        "zc_pt": lambda edge: [-s for s in masked_scores(net, {}, edge, batch(edge), settings)],
        "disc_zc": lambda edge: discretised_scores(net, {}, edge, batch(edge), settings),
    }


def _trained(scoring: OperationScoreConditions, net: Supernet, seed: int) -> MethodScores:
    """Trains the supernet, then returns darts, darts-pt and disc-acc."""
    data, recipe = halves(scoring, seed), scoring.recipe
    with seeds.torch_stream("supernet training", seed, device=scoring.conditions.device):
        train_supernet(net, trained_scores.alpha_leaves(net), data, recipe, seed)
    return {
        "darts": lambda edge: trained_scores.darts(net, edge),
        "darts_pt": lambda edge: trained_scores.darts_pt(net, {}, edge, data, recipe),
        "disc_acc": lambda edge: trained_scores.disc_acc(net, {}, edge, data, recipe, seed=seed),
    }


def halves(scoring: OperationScoreConditions, seed: int) -> Halves:
    """Returns both halves of the training images; a batch and its second are just that."""
    inputs, device = scoring.conditions.inputs, scoring.conditions.device
    task = tasks.get(scoring.conditions.task)
    image_set = image_set_of(task, inputs)
    if image_set is None or described(task.name, inputs)["labels"] != "true":
        raise HarnessError(
            f"A supernet cannot be trained on {inputs.source}: the labels would be random; choose "
            "inputs with labels of this task."
        )
    available = len(read_image_set(image_set.name).images)
    half = min(scoring.recipe.images or available, available) // 2
    batch = load_batch(task, inputs, seed, half)
    assert batch.second is not None
    return Halves(*(_labelled(one).to(device) for one in (batch, batch.second)))


def _labelled(batch: Batch) -> LabelledImages:
    assert batch.labels is not None
    return LabelledImages(batch.images, batch.labels)

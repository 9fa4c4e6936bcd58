"""Measures operation scores in supernets, one shard per method and seed, and keeps them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from harness.core import seeds
from harness.core.machine import machine
from harness.executors.executor import ExecutorSettings
from harness.executors.missing_work import run_missing
from harness.inputs.tasks import tasks
from harness.scoring.conditions import check_device, digest
from harness.scoring.table import ShardFolder
from harness.search.supernets.named_supernets import supernet
from harness.search.supernets.supernet import Edge, Supernet
from harness.search.zero_cost_pt import trained_scores
from harness.search.zero_cost_pt.operation_tables import TRAINED
from harness.search.zero_cost_pt.perturbation import KERNEL_PROXY, discretised_scores, masked_scores
from harness.search.zero_cost_pt.supernet_scoring import SupernetScoring
from harness.training.supernet_recipe import SupernetRecipe
from harness.training.supernet_training import Halves, halves_of, train_supernet

COLUMNS = pa.schema(
    dict.fromkeys(("method", "setting", "operation", "machine"), pa.string())
    | dict.fromkeys(("seed", "edge"), pa.int64())
    | {"value": pa.float64()}
)
# Changes with the code of the measurement; supernets' scores have a number of their own.
MEASUREMENT = "2"

Asked = Sequence[tuple[str, int]]
"""Methods and seeds."""


@dataclass(frozen=True)
class OperationScoreConditions(SupernetScoring):
    """Everything that decides an operation score besides the method and the seed.

    Attributes:
        recipe: How the supernet of the trained methods is trained.
        work: Folder of what is measured, whatever the conditions.
        columns: What is measured, as it is stored.
        identity: The columns that tell two measurements apart.
        manner: How operations are scored, where a progress line names it.
    """

    columns: ClassVar[pa.Schema] = COLUMNS
    identity: ClassVar[list[str]] = ["method", "seed", "edge", "operation"]
    manner: ClassVar[str] = ""

    recipe: SupernetRecipe
    work: Path

    def shared(self) -> dict[str, Any]:
        """Returns what decides the scores of every method."""
        return super().shared() | {"measurement": MEASUREMENT}

    def setting(self, method: str) -> str:
        """Names what a user chooses about a method: ``nwot, faithful``, or the course."""
        if method in TRAINED:
            course = self.recipe.epochs
            epochs = min(course, self.recipe.alpha_epochs) if method == "darts" else course
            return f"{epochs} epochs, {self.recipe.images or 'all'} images"
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
        return ShardFolder(folder, self.columns, self.identity)

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
    conditions: OperationScoreConditions,
    asked: Asked,
    executor: ExecutorSettings,
    measure_shard: Callable[[MethodShard], int],
) -> pd.DataFrame:
    """Measures what earlier runs have not finished.

    Args:
        conditions: What decides the scores.
        asked: Methods and seeds.
        executor: Where the work runs.
        measure_shard: Measures and stores some of it.

    Returns:
        The conditions' columns of all that was asked for; a higher value is better.

    Raises:
        HarnessError: If the folder cannot be written, or workers were lost.
    """
    run_missing(
        measure_shard,
        lambda: missing_shards(conditions, asked),
        executor,
        title=f"operation scores of {conditions.conditions.space}{conditions.manner}",
        total=len(asked),
        folder=conditions.work,
    )
    nothing: pd.DataFrame = conditions.columns.empty_table().to_pandas()
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
        (method, scoring.setting(method), edge[1], name, value)
        for method in shard.methods
        for edge in net.edges()
        for name, value in zip(net.names(edge), score[method](edge), strict=True)
    ]
    computed_on = json.dumps(machine(device), sort_keys=True)
    table = pd.DataFrame(rows, columns=["method", "setting", "edge", "operation", "value"])
    table = table.assign(seed=seed, machine=computed_on)
    scoring.table(first).write((*shard.methods, seed), table)
    return len(shard.methods)


MethodScores = Mapping[str, Callable[[Edge], list[float]]]


def _untrained(scoring: OperationScoreConditions, net: Supernet, seed: int) -> MethodScores:
    """Returns zc-pt and disc-zc at iteration 0: no edge is decided, and all see one batch."""
    batch = scoring.conditions.batch(seeds.stream("operation scores", seed))
    settings = scoring.settings
    return {
        "zc_pt": lambda edge: [-s for s in masked_scores(net, {}, edge, batch, settings)],
        "disc_zc": lambda edge: discretised_scores(net, {}, edge, batch, settings),
    }


def _trained(scoring: OperationScoreConditions, net: Supernet, seed: int) -> MethodScores:
    """Trains the supernet, then returns darts, darts-pt and disc-acc."""
    data, recipe = halves(scoring, seed), scoring.recipe
    shares: dict[Edge, list[float]] = {}

    def read_alpha(epoch: int) -> None:
        if epoch <= recipe.alpha_epochs:
            shares.update({edge: trained_scores.darts(net, edge) for edge in net.edges()})

    alphas = trained_scores.alpha_leaves(net)
    with seeds.torch_stream("supernet training", seed, device=scoring.conditions.device):
        train_supernet(net, alphas, data, recipe, seed, after_epoch=read_alpha)
    return {
        "darts": shares.__getitem__,
        "darts_pt": lambda edge: trained_scores.darts_pt(net, {}, edge, data, recipe),
        "disc_acc": lambda edge: trained_scores.disc_acc(net, {}, edge, data, recipe, seed=seed),
    }


def halves(scoring: OperationScoreConditions, seed: int) -> Halves:
    """Returns both halves of the training images."""
    under = scoring.conditions
    return halves_of(tasks.get(under.task), under.inputs, scoring.recipe, seed, under.device)

"""The work of Zero-Cost-PT: iterations step by step, and comparisons, stored as they finish."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from harness.core import seeds
from harness.core.machine import machine
from harness.core.types import Batch
from harness.scoring.conditions import check_device, digest
from harness.scoring.table import ShardFolder
from harness.search.supernets.named_supernets import blueprint, supernet
from harness.search.supernets.supernet import Decisions, Edge, fix_noise
from harness.search.zero_cost_pt import selected
from harness.search.zero_cost_pt.algorithm import Perturbed, Problem, Step, search_iteration
from harness.search.zero_cost_pt.perturbation import PerturbationScorer, network_score
from harness.search.zero_cost_pt.supernet_scoring import SupernetScoring

STEPS = pa.schema(
    dict.fromkeys(("seed", "iteration", "step", "batch"), pa.int64())
    | dict.fromkeys(("phase", "cell", "name", "machine"), pa.string())
    | dict.fromkeys(("edge", "operation"), pa.int64())
    | dict.fromkeys(("score", "seconds"), pa.float64())
    | {"decided": pa.bool_()}
)
COMPARISONS = pa.schema(
    dict.fromkeys(("seed", "batch"), pa.int64())
    | dict.fromkeys(("architecture", "machine"), pa.string())
    | dict.fromkeys(("score", "seconds"), pa.float64())
)


@dataclass(frozen=True)
class PerturbationSearch(SupernetScoring):
    """A search of any seed, and where its work is kept.

    Attributes:
        work: Folder of the work of all searches of the space and task.
    """

    work: Path

    def described(self) -> dict[str, Any]:
        """Returns what decides scores besides the seed, as JSON has it."""
        order, once = self.settings.order, self.settings.once_order
        orders = {"order": order, "once_order": once if self.settings.ranks_once else None}
        return self.shared() | self.own() | orders

    def steps(self, seed: int, iteration: int) -> ShardFolder:
        """Returns the table of one iteration's steps."""
        name = f"steps/seed-{seed}/iteration-{iteration:04}"
        return ShardFolder(self._folder / name, STEPS, ["step", "edge", "operation"])

    def comparisons(self, seed: int) -> ShardFolder:
        """Returns the table of the scores of the architectures that one seed ended with."""
        folder = self._folder / f"comparisons/seed-{seed}"
        return ShardFolder(folder, COMPARISONS, ["architecture", "batch"])

    @property
    def _folder(self) -> Path:
        return self.work / digest(self.described(), length=20)

    def batch(self, *name: object) -> Batch:
        """Returns the minibatch that ``name`` identifies, on the device."""
        return self.conditions.batch(seeds.stream("zero_cost_pt", *name))

    def problem(self, seed: int, iteration: int) -> Problem:
        """Returns one iteration's decisions to make."""
        plan = blueprint(self.conditions.space)
        stream = (self.conditions.space, seed, iteration)
        return Problem(plan.operations, plan.pruned_nodes, self.settings, stream)


@dataclass(frozen=True)
class IterationShard:
    """One search iteration of a seed, and how many perturbations it still has to score."""

    search: PerturbationSearch
    seed: int
    iteration: int
    size: int


@dataclass(frozen=True)
class ComparisonShard:
    """An architecture of a seed and the batches on which it is still to be scored."""

    search: PerturbationSearch
    seed: int
    architecture: str
    batches: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of batches."""
        return len(self.batches)


def run_iteration(shard: IterationShard) -> int:
    """Runs what is missing of an iteration, step by step; returns the perturbations scored.

    Raises:
        HarnessError: If this machine lacks the device, or the supernet cannot be scored.
    """
    search, seed, iteration = shard.search, shard.seed, shard.iteration
    space, device = search.conditions.space, search.conditions.device
    check_device(device)
    net = supernet(space, search.conditions.task, seed).to(device)
    if space == "nb201":  # the released code draws alphas anew here, and only here
        net.draw_alphas(seed, iteration)
    done = read_steps(search, seed, iteration)

    def scorer_at(batch: int, decided: Decisions, removed: frozenset[Edge]) -> PerturbationScorer:
        fix_noise(net, seed, iteration, batch)
        images = search.batch("search", seed, iteration, batch)
        return PerturbationScorer(net, decided, images, search.settings, removed)

    steps = search_iteration(search.problem(seed, iteration), scorer_at, done)
    evaluations = 0
    start = time.perf_counter()
    for index, step in enumerate(steps, start=len(done)):
        now = time.perf_counter()
        write_step(shard, index, step, seconds=now - start)
        evaluations += step.evaluations
        start = now
    return evaluations


def run_comparison(shard: ComparisonShard) -> int:
    """Scores a stand-alone network on some batches; returns how many.

    Raises:
        HarnessError: If this machine lacks the device, or the network cannot be scored.
    """
    search, seed, key = shard.search, shard.seed, shard.architecture
    conditions = search.conditions
    check_device(conditions.device)
    network = selected.build(conditions.space, key, conditions.task, seed).to(conditions.device)
    rows = []
    for batch in shard.batches:
        start = time.perf_counter()
        fix_noise(network, seed, "comparison", batch)
        score = network_score(network, search.batch("comparison", seed, batch), search.settings)
        rows.append({"batch": batch, "score": score, "seconds": time.perf_counter() - start})
    table = pd.DataFrame(rows).assign(seed=seed, architecture=key, machine=_machine(search))
    search.comparisons(seed).write((seed, key, shard.batches), table)
    return len(rows)


def write_step(shard: IterationShard, index: int, step: Step, *, seconds: float) -> None:
    """Stores one finished step as a file of its own."""
    search, seed, iteration = shard.search, shard.seed, shard.iteration
    names = blueprint(search.conditions.space).operations[step.kind]
    table = pd.DataFrame([asdict(one) for one in step.perturbed]).assign(
        seed=seed,
        iteration=iteration,
        step=index,
        batch=step.batch,
        phase=step.phase,
        cell=step.kind,
        name=[names[p.edge][p.operation] if p.operation >= 0 else "" for p in step.perturbed],
        seconds=seconds / len(step.perturbed),
        machine=_machine(search),
    )
    search.steps(seed, iteration).write((seed, iteration, index), table)


def _machine(search: PerturbationSearch) -> str:
    return json.dumps(machine(search.conditions.device), sort_keys=True)


def read_steps(search: PerturbationSearch, seed: int, iteration: int) -> list[Step]:
    """Returns the steps of an iteration that are finished, from the first on."""
    steps: list[Step] = []
    for index, of_step in search.steps(seed, iteration).read().groupby("step"):
        if index != len(steps):  # a file was deleted: what came after depends on it
            break
        first = of_step.iloc[0]
        columns = zip(of_step.edge, of_step.operation, of_step.score, of_step.decided, strict=True)
        perturbed = tuple(Perturbed(int(e), int(o), float(s), bool(d)) for e, o, s, d in columns)
        steps.append(Step(int(first.batch), first.cell, first.phase, perturbed))
    return steps

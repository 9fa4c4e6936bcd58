"""The work of Zero-Cost-PT: iterations step by step, and comparisons, stored as they finish."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch

from harness import seeds
from harness.inputs import InputSettings, load_batch
from harness.runs.protocol import described, digest
from harness.search import found
from harness.search.perturbation import Scorer, network_score
from harness.search.settings import SearchSettings
from harness.search.supernets import Decisions, Edge, blueprint, supernet
from harness.search.supernets.base import fix_noise
from harness.search.zero_cost_pt import (
    Perturbed,
    Problem,
    Step,
    decisions,
    removed_edges,
    search_iteration,
)
from harness.store import ShardFolder
from harness.tasks import tasks
from harness.types import Batch

# Changes whenever a change of the code changes scores, so that old ones are not mixed in.
VERSION = 1
IMAGES = {"nb201": 256}  # appendix A.5
DARTS_IMAGES = 64

STEPS = pa.schema(
    [
        ("protocol", pa.string()),
        ("seed", pa.int64()),
        ("iteration", pa.int64()),
        ("step", pa.int64()),
        ("batch", pa.int64()),
        ("phase", pa.string()),
        ("cell", pa.string()),
        ("edge", pa.int64()),
        ("operation", pa.int64()),
        ("name", pa.string()),
        ("score", pa.float64()),
        ("decided", pa.bool_()),
        ("seconds", pa.float64()),
    ]
)
STEP_IDENTITY = ["protocol", "seed", "iteration", "step", "edge", "operation"]
COMPARISONS = pa.schema(
    [
        ("protocol", pa.string()),
        ("seed", pa.int64()),
        ("architecture", pa.string()),
        ("batch", pa.int64()),
        ("score", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
COMPARISON_IDENTITY = ["protocol", "seed", "architecture", "batch"]


@dataclass(frozen=True)
class Search:
    """Everything that decides a score besides the seed, and where the results go."""

    space: str
    task: str
    inputs: InputSettings
    settings: SearchSettings
    device: str
    folder: Path

    @property
    def images(self) -> int:
        """Images per batch."""
        return self.settings.images or IMAGES.get(self.space, DARTS_IMAGES)

    def protocol(self) -> str:
        """Names what decides scores: rows of another protocol are not this search's."""
        settings = self.settings
        values = {
            "space": self.space,
            "task": self.task,
            "inputs": described(self.task, self.inputs),
            "images": self.images,
            "device": torch.device(self.device).type,
            "proxy": settings.proxy,
            "order": settings.order,
            "once_order": settings.once_order if settings.order.endswith("-once") else None,
            "counting": settings.counting,
            "version": VERSION,
        }
        return digest(values)

    def batch(self, *name: object) -> Batch:
        """Returns the minibatch that ``name`` identifies, on the device."""
        seed = seeds.stream("zero_cost_pt", *name)
        batch = load_batch(tasks.get(self.task), self.inputs, seed, self.images)
        return batch.to(self.device, channels_last=True)

    def steps(self, seed: int, iteration: int) -> ShardFolder:
        """Returns the table of one iteration's steps."""
        folder = self.folder / "steps" / f"seed-{seed}" / f"iteration-{iteration:04}"
        return ShardFolder(folder, STEPS, STEP_IDENTITY)

    def comparisons(self, seed: int) -> ShardFolder:
        """Returns the table of the scores of the architectures that one seed found."""
        folder = self.folder / "comparisons" / f"seed-{seed}"
        return ShardFolder(folder, COMPARISONS, COMPARISON_IDENTITY)

    def problem(self, seed: int, iteration: int) -> Problem:
        """Returns one iteration's decisions to make."""
        stream = (self.space, seed, iteration)
        plan = blueprint(self.space)
        return Problem(plan.operations, plan.pruned_nodes, self.settings, stream)


@dataclass(frozen=True)
class IterationShard:
    """One search iteration of a seed."""

    search: Search
    seed: int
    iteration: int


@dataclass(frozen=True)
class ComparisonShard:
    """An architecture of a seed and the batches on which it is still to be scored."""

    search: Search
    seed: int
    architecture: str
    batches: tuple[int, ...]


def run_iteration(shard: IterationShard) -> int:
    """Runs what is missing of an iteration, step by step; returns the perturbations scored."""
    search, seed, iteration = shard.search, shard.seed, shard.iteration
    net = supernet(search.space, search.task, seed).to(search.device)
    if search.space == "nb201":  # the released code draws alphas anew here, and only here
        net.draw_alphas(seed, iteration)
    done = read_steps(search, seed, iteration)

    def scorer_at(batch: int, decided: Decisions, removed: frozenset[Edge]) -> Scorer:
        fix_noise(net, seed, iteration, batch)
        images = search.batch("search", seed, iteration, batch)
        return Scorer(net, decided, images, search.settings, removed)

    steps = search_iteration(search.problem(seed, iteration), scorer_at, done)
    evaluations = 0
    start = time.perf_counter()
    for index, step in enumerate(steps, start=len(done)):
        now = time.perf_counter()
        write_step(search, seed, iteration, index, step, seconds=now - start)
        evaluations += step.evaluations
        start = now
    return evaluations


def run_comparison(shard: ComparisonShard) -> int:
    """Scores a stand-alone network on some batches; returns how many."""
    search, seed, key = shard.search, shard.seed, shard.architecture
    network = found.build(search.space, key, search.task, seed).to(search.device)
    protocol = search.protocol()
    rows = []
    for batch in shard.batches:
        start = time.perf_counter()
        fix_noise(network, seed, "comparison", batch)
        score = network_score(network, search.batch("comparison", seed, batch), search.settings)
        rows.append((protocol, seed, key, batch, score, time.perf_counter() - start))
    table = pd.DataFrame(rows, columns=COMPARISONS.names)
    search.comparisons(seed).write((protocol, seed, key, shard.batches), table)
    return len(rows)


def write_step(
    search: Search,
    seed: int,
    iteration: int,
    index: int,
    step: Step,
    *,
    seconds: float,
) -> None:
    """Stores one finished step as a file of its own."""
    protocol, names = search.protocol(), blueprint(search.space).operations[step.kind]
    rows = [
        {
            "protocol": protocol,
            "seed": seed,
            "iteration": iteration,
            "step": index,
            "batch": step.batch,
            "phase": step.phase,
            "cell": step.kind,
            "name": names[one.edge][one.operation] if one.operation >= 0 else "",
            "seconds": seconds / len(step.perturbed),
            **asdict(one),
        }
        for one in step.perturbed
    ]
    table = pd.DataFrame(rows, columns=STEPS.names)
    search.steps(seed, iteration).write((protocol, seed, iteration, index), table)


def read_steps(search: Search, seed: int, iteration: int) -> list[Step]:
    """Returns the steps of an iteration that are finished, from the first on."""
    rows = search.steps(seed, iteration).read()
    rows = rows[rows.protocol == search.protocol()]
    steps: list[Step] = []
    for index, of_step in rows.groupby("step"):
        if index != len(steps):  # a file was deleted: what came after depends on it
            break
        first = of_step.iloc[0]
        columns = zip(of_step.edge, of_step.operation, of_step.score, of_step.decided, strict=True)
        perturbed = tuple(Perturbed(int(e), int(o), float(s), bool(d)) for e, o, s, d in columns)
        steps.append(Step(int(first.batch), first.cell, first.phase, perturbed))
    return steps


def architecture_of(space: str, steps: Sequence[Step]) -> str:
    """Returns the key of what a finished iteration decided."""
    operations = blueprint(space).operations
    return found.architecture(operations, decisions(steps), removed_edges(steps))

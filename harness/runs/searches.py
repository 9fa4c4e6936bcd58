"""Runs architecture searches: resumed from what is on disk, live or spread over processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from harness import seeds
from harness.config import Config
from harness.executors import executors
from harness.files import atomic
from harness.passes import SwapSettings
from harness.runs.protocol import SCORES_VERSION, check_device, described, digest
from harness.runs.work import Rate, console
from harness.search import SearchSettings
from harness.search.encoded_spaces import encoding
from harness.search.evaluation import Evaluator, Measurement, Objective, Scorer, objective_of
from harness.search.evolution import Candidate, budget, search
from harness.spaces import spaces
from harness.store import ShardFolder

MEASUREMENTS = pa.schema(
    [
        ("key", pa.string()),
        ("psi", pa.float64()),
        ("params", pa.int64()),
        ("seconds", pa.float64()),
        ("status", pa.string()),
    ]
)
# Of SearchSettings, what decides the course of a search; the rest is in Scorer and Objective.
COURSE = ("method", "population", "tournament", "crossover", "children", "duplicates", "cell_mode")
DARTS_IMAGES = 32

Watch = Callable[[int, Candidate, float], object]
"""Called after every evaluation with its number, the best candidate so far and its Θ."""


@dataclass(frozen=True)
class Search:
    """One search: a work item that any process can run.

    Attributes:
        scorer: How Ψ arises; its seed is the search's seed too.
        objective: μ and σ.
        settings: How to search.
        protocol: Fingerprint of how Ψ arises, images included.
        folder: ``results/swap_nas/<space>/<task>``.
    """

    scorer: Scorer
    objective: Objective
    settings: SearchSettings
    protocol: str
    folder: Path

    @property
    def name(self) -> str:
        """The method, with μ and σ where the user chose them."""
        chosen = (("mu", self.settings.mu), ("sigma", self.settings.sigma))
        return "_".join(
            [self.settings.method, *(f"{k}{value:g}" for k, value in chosen if value is not None)]
        )

    @property
    def path(self) -> Path:
        """Where the evaluations of the finished search lie."""
        course = {key: getattr(self.settings, key) for key in COURSE}
        parts = (self.protocol, asdict(self.objective), course, budget(self.settings))
        name = digest([*parts, self.scorer.seed], length=20)
        return self.folder / "searches" / f"{name}.parquet"

    def measurements(self) -> ShardFolder:
        """Returns the measurements that all searches of this protocol and seed share."""
        folder = self.folder / "scores" / f"{self.protocol}_seed{self.scorer.seed}"
        return ShardFolder(folder, MEASUREMENTS, ["key"])


def searches_of(config: Config) -> list[Search]:
    """Returns one search per seed.

    Raises:
        HarnessError: If the space cannot be searched, or a setting or the device is wrong.
    """
    check_device(config.device)
    encoding(config.space)
    spaces.get(config.space).task(config.task)
    settings = config.search
    own = DARTS_IMAGES if config.space == "darts" else config.swap.images
    swap = SwapSettings(settings.images or own, config.swap.repeats, config.swap.init)
    darts = (settings.channels, settings.layers) if config.space == "darts" else (0, 0)
    objective = objective_of(config.space, config.task, settings.mu, settings.sigma)
    folder = Path(config.results) / "swap_nas" / config.space / config.task
    scorers = [
        Scorer(
            config.space,
            config.task,
            config.inputs,
            swap,
            config.device,
            config.channels_last,
            *darts,
            seed,
        )
        for seed in config.seeds
    ]
    return [Search(scorer, objective, settings, _protocol(scorer), folder) for scorer in scorers]


def _protocol(scorer: Scorer) -> str:
    inputs, device = described(scorer.task, scorer.inputs), scorer.device.partition(":")[0]
    values = asdict(scorer) | {"seed": None, "inputs": inputs, "device": device}
    return digest(values | {"version": SCORES_VERSION})


def run_search(item: Search, watch: Watch | None = None) -> Search:
    """Runs one search to its end and stores its evaluations; returns the item.

    The course of a search is decided by its seed and the measurements alone. So a search that was
    killed is simply run again: what was measured before is read, not measured, and every later
    step is the same as without the interruption.
    """
    store = item.measurements()
    rows_before = store.read()[MEASUREMENTS.names].itertuples(index=False)
    known = {row[0]: Measurement(*row) for row in rows_before}

    def save(measured: list[Measurement]) -> None:
        rows = pd.DataFrame([asdict(m) for m in measured], columns=MEASUREMENTS.names)
        store.write(rows.key, rows)

    evaluate = Evaluator(item.scorer.measure, item.objective, known, save)
    rows: list[Candidate] = []
    best: Candidate | None = None
    for candidate in _candidates(item, evaluate):
        rows.append(candidate)
        best = candidate if best is None or candidate.fitness > best.fitness else best
        if watch is not None:
            watch(len(rows), best, item.objective.theta(evaluate.measured[best.key].params))
    evaluate.flush()
    with atomic(item.path) as temporary:
        _table(item, rows, evaluate.measured).to_parquet(temporary, index=False)
    return item


def _candidates(item: Search, evaluate: Evaluator) -> Iterator[Candidate]:
    # Methods share no random numbers, but batch, weights and so all scores of a seed.
    random = seeds.numpy_stream("search", item.settings.method, item.scorer.seed)
    encoded = encoding(item.scorer.space, item.settings.cell_mode)
    endless = search(encoded, evaluate, random, item.settings)
    return islice(endless, budget(item.settings))


def _table(
    item: Search, candidates: Sequence[Candidate], measured: dict[str, Measurement]
) -> pd.DataFrame:
    """Returns one row per evaluation, in order; ``repeated`` ones were served from memory."""
    scores = [measured[candidate.key] for candidate in candidates]
    table = pd.DataFrame(
        {
            "seed": item.scorer.seed,
            "evaluation": np.arange(1, len(candidates) + 1),
            "cycle": [candidate.cycle for candidate in candidates],
            "key": [candidate.key for candidate in candidates],
            "score": [item.objective.score(m) for m in scores],
            "fitness": [candidate.fitness for candidate in candidates],
            "psi": [m.psi for m in scores],
            "theta": [item.objective.theta(m.params) for m in scores],
            "status": [m.status for m in scores],
            "seconds": [m.seconds for m in scores],
            "origin": [candidate.origin for candidate in candidates],
            "parents": [list(candidate.parents) for candidate in candidates],
        }
    )
    table["repeated"] = table.key.duplicated()
    return table


def run_searches(items: Sequence[Search], config: Config) -> pd.DataFrame:
    """Runs the searches that are not finished and returns the evaluations of all of them.

    In one process, evaluations are shown as they come; from several, searches as they finish.
    """
    missing = [item for item in items if not item.path.exists()]
    alone = config.executor.name == "local" or min(config.executor.width, len(missing)) == 1
    if missing:
        measured = missing[0].scorer
        console.print(
            f"{len(missing)} of {len(items)} searches to run, {budget(missing[0].settings)} "
            f"evaluations each ({measured.space}, {measured.task}).",
            soft_wrap=True,
        )
        (_run_live if alone else _run_apart)(missing, config)
    tables = [pd.read_parquet(item.path) for item in items]
    return pd.concat(tables, ignore_index=True)


def _run_live(items: Sequence[Search], config: Config) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        Rate(),
        TextColumn("best {task.fields[score]:.1f} at size {task.fields[theta]:.3f}"),
        TimeElapsedColumn(),
    )
    execute = executors.get("local")
    with Progress(*columns, console=console, speed_estimate_period=30) as progress:
        for item in items:
            total = budget(item.settings)
            name = f"{item.name} seed {item.scorer.seed}"
            bar = progress.add_task(name, total=total, score=0.0, theta=0.0)

            def watch(done: int, best: Candidate, theta: float, bar: TaskID = bar) -> None:
                progress.update(bar, completed=done, score=np.exp(best.fitness), theta=theta)

            for _ in execute(partial(run_search, watch=watch), [item], config.executor):
                progress.refresh()


def _run_apart(items: Sequence[Search], config: Config) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    execute = executors.get(config.executor.name)
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("searches", total=len(items))
        for item in execute(run_search, items, config.executor):
            table = pd.read_parquet(item.path)
            best = table.iloc[int(table.fitness.to_numpy().argmax())]
            progress.console.print(
                f"{item.name} seed {item.scorer.seed}: best {best.score:.1f} at size "
                f"{best.theta:.3f}, evaluation {best.evaluation} of {len(table)}",
                highlight=False,
                soft_wrap=True,
            )
            progress.advance(bar)

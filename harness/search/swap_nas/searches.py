"""One search as a work item that any process can run, and that goes on from what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.config import Config
from harness.core import seeds
from harness.core.sections import Settings
from harness.passes.settings import SwapSettings
from harness.results.layout import work_path
from harness.scoring.conditions import Conditions, check_device, digest
from harness.scoring.table import ShardFolder
from harness.search.swap_nas.encoded_spaces import encoding
from harness.search.swap_nas.evolution import Candidate, search
from harness.search.swap_nas.measurement import (
    REG_SWAP,
    Evaluator,
    Measurement,
    Objective,
    Scorer,
    objective_of,
    scored_by,
    scored_space,
)
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings
from harness.spaces.space import spaces

MEASUREMENTS = pa.schema(
    [
        ("key", pa.string()),
        ("value", pa.float64()),
        ("params", pa.int64()),
        ("seconds", pa.float64()),
        ("status", pa.string()),
        ("machine", pa.string()),
    ]
)
EVALUATIONS = pa.schema(
    [
        ("method", pa.string()),
        ("objective", pa.string()),
        ("mu", pa.float64()),
        ("seed", pa.int64()),
        ("evaluation", pa.int64()),
        ("cycle", pa.int64()),
        ("key", pa.string()),
        ("score", pa.float64()),
        ("fitness", pa.float64()),
        ("value", pa.float64()),
        ("theta", pa.float64()),
        ("status", pa.string()),
        ("seconds", pa.float64()),
        ("origin", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("repeated", pa.bool_()),
        ("machine", pa.string()),
    ]
)
SEARCH = ["method", "objective", "mu", "seed"]
"""Columns that tell the searches of one result apart."""

# Of the settings, what decides the course of a search; the rest is in Scorer and Objective.
COURSE = (
    *("distinct", "population", "tournament", "crossover", "children", "duplicates", "cell_mode"),
)
DARTS_IMAGES = 32
PATIENCE = 20
"""Evaluations per distinct architecture asked for, after which a search ends all the same."""

Watch = Callable[[int, Candidate, float], object]
"""Called after every evaluation with its number, the best candidate so far and its Θ."""


@dataclass(frozen=True)
class SwapNasSearch:
    """One search: a work item that any process can run.

    Attributes:
        scorer: How scores arise; its seed is the search's seed too.
        objective: What is made of them.
        settings: How to search.
        folder: Where searches and measurements are kept to go on from.
    """

    scorer: Scorer
    objective: Objective
    settings: SwapNasSettings
    folder: Path

    @property
    def name(self) -> str:
        """The method, with what the user chose of the objective, μ and σ."""
        own = self.objective.name
        chosen = (("mu", self.settings.mu), ("sigma", self.settings.sigma))
        return "_".join(
            [
                self.settings.method,
                *([] if own == REG_SWAP else [own]),
                *(f"{k}{value:g}" for k, value in chosen if value is not None),
            ]
        )

    @property
    def identity(self) -> tuple[str, str, float, int]:
        """Its values of the columns ``SEARCH``."""
        return self.settings.method, self.objective.name, self.objective.mu, self.scorer.seed

    def course(self) -> dict[str, Any]:
        """Returns what decides the course besides the method, the scores and the seed."""
        chosen = {key: getattr(self.settings, key) for key in COURSE}
        return {"evaluations": self.settings.budget, **chosen}

    def measurements(self) -> ShardFolder:
        """Returns the measurements that all searches of these conditions and this seed share."""
        name = digest([self.scorer.described(), self.scorer.seed], length=20)
        return ShardFolder(self.folder / "measurements" / name, MEASUREMENTS, ["key"])

    def evaluations(self) -> ShardFolder:
        """Returns the table of its evaluations: one shard, and only once it has finished."""
        rest = asdict(self.objective), self.course(), *self.identity
        name = digest([self.scorer.described(), *rest], length=20)
        return ShardFolder(self.folder / "searches" / name, EVALUATIONS, ["evaluation"])


def searches_of(config: Config, search: SwapNasSettings, settings: Settings) -> list[SwapNasSearch]:
    """Returns one search per seed.

    Args:
        config: The run.
        search: How to search.
        settings: Those of passes and proxies.

    Raises:
        HarnessError: If the space cannot be searched, or a setting is wrong.
    """
    encoding(config.space)
    spaces.get(config.space).task(config.task)
    proxy = scored_by(search.objective)
    swap = settings.of(SwapSettings)
    images = search.images or (DARTS_IMAGES if config.space == "darts" else swap.images)
    others = (one for one in settings if not isinstance(one, SwapSettings))
    conditions = Conditions(
        config.space,
        config.task,
        config.inputs,
        images,
        config.device,
        config.channels_last,
        Settings(SwapSettings(images, swap.repeats, swap.init), *others),
    )
    conditions.shared()  # tells what is wrong with images and device before any work
    space = scored_space(config.space, search.channels, search.layers)
    objective = objective_of(space, config.task, search.mu, search.sigma, search.objective)
    folder = work_path(config, "swap_nas", config.space, config.task)
    scorers = [
        Scorer(conditions, search.channels, search.layers, seed, proxy, config.truth)
        for seed in config.seeds
    ]
    return [SwapNasSearch(scorer, objective, search, folder) for scorer in scorers]


def conditions_of(
    searches: Sequence[SwapNasSearch], truth: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Returns what decides the values of a result besides the seeds, as its record says it.

    Args:
        searches: All that the result is made of; they differ in method and objective alone.
        truth: The accuracies that their architectures are looked up in.
    """
    first = searches[0]
    described: dict[str, Any] = {}
    for one in {one.scorer.proxy: one.scorer for one in searches}.values():
        described |= one.described()
    return {
        **described,
        "search": first.course(),
        "searches": {
            one.name: {"method": one.settings.method, **asdict(one.objective)} for one in searches
        },
        "truth": truth,
    }


def run_search(item: SwapNasSearch, watch: Watch | None = None) -> SwapNasSearch:
    """Runs one search to its end and stores its evaluations; returns the item.

    The course of a search is decided by its seed and the measurements alone. So a search that was
    killed is simply run again: what was measured before is read, not measured, and every later
    step is the same as without the interruption.

    Raises:
        HarnessError: If this machine lacks the device, or a network does not run.
        DataError: If a stored measurement is damaged.
    """
    check_device(item.scorer.conditions.device)
    store = item.measurements()
    known = {row[0]: Measurement(*row) for row in store.read().itertuples(index=False)}

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
    item.evaluations().write(item.identity, _table(item, rows, evaluate.measured))
    return item


def _candidates(item: SwapNasSearch, evaluate: Evaluator) -> Iterator[Candidate]:
    # Methods share no random numbers, but batch, weights and so all scores of a seed.
    random = seeds.numpy_stream("search", item.settings.method, item.scorer.seed)
    encoded = encoding(item.scorer.conditions.space, item.settings.cell_mode)
    endless = search(encoded, evaluate, random, item.settings)
    if item.settings.distinct:
        return until_distinct(endless, item.settings.budget)
    return islice(endless, item.settings.budget)


def until_distinct(candidates: Iterable[Candidate], budget: int) -> Iterator[Candidate]:
    """Yields candidates until so many distinct ones were met, or none are to be expected."""
    met = set()
    for candidate in islice(candidates, PATIENCE * budget):
        yield candidate
        met.add(candidate.key)
        if len(met) == budget:
            return


def _table(
    item: SwapNasSearch, candidates: Sequence[Candidate], measured: dict[str, Measurement]
) -> pd.DataFrame:
    """Returns one row per evaluation, in order; ``repeated`` ones were served from memory."""
    scores = [measured[candidate.key] for candidate in candidates]
    table = pd.DataFrame(
        {
            **dict(zip(SEARCH, item.identity, strict=True)),
            "evaluation": np.arange(1, len(candidates) + 1),
            "cycle": [candidate.cycle for candidate in candidates],
            "key": [candidate.key for candidate in candidates],
            "score": [item.objective.score(m) for m in scores],
            "fitness": [candidate.fitness for candidate in candidates],
            "value": [m.value for m in scores],
            "theta": [item.objective.theta(m.params) for m in scores],
            "status": [m.status for m in scores],
            "seconds": [m.seconds for m in scores],
            "origin": [candidate.origin for candidate in candidates],
            "parents": [list(candidate.parents) for candidate in candidates],
            "machine": [m.machine for m in scores],
        }
    )
    table["repeated"] = table.key.duplicated()
    return table

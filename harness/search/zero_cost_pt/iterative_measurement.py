"""Operation scores while edges are decided one after the other, one shard per supernet.

Xiang et al. 2021 (Zero-Cost-PT), appendix A.1.1: score the operations of all undecided edges,
decide the first of these edges by its best operation, let a trained supernet learn on, and repeat.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from harness.core import seeds
from harness.core.machine import machine
from harness.scoring.conditions import check_device
from harness.search.supernets.named_supernets import supernet
from harness.search.supernets.supernet import Decisions, Edge, State, Supernet
from harness.search.zero_cost_pt import trained_scores
from harness.search.zero_cost_pt.operation_measurement import (
    MethodShard,
    OperationScoreConditions,
    halves,
)
from harness.search.zero_cost_pt.operation_tables import TRAINED
from harness.search.zero_cost_pt.perturbation import PerturbationScorer
from harness.training.supernet_training import Halves, train_supernet

METHODS = ("zc_pt", "disc_zc", "darts_pt", "disc_acc")
"""The scores of figure A1."""

EdgeScores = Callable[[Edge], list[float]]
"""A score per operation of an edge; higher means that the operation should be kept."""
ScorerAt = Callable[[int, Decisions], EdgeScores]
"""What scores the edges in an iteration, with some edges decided."""


class IterativeConditions(OperationScoreConditions):
    """Everything that decides the scores of all iterations besides the method and the seed."""

    columns = OperationScoreConditions.columns.append(pa.field("iteration", pa.int64()))
    identity = ["method", "seed", "iteration", "edge", "operation"]  # noqa: RUF012 - of the class
    manner = ", iteration by iteration"


def iterate(edges: Sequence[Edge], scorer_at: ScorerAt) -> Iterator[tuple[int, Edge, list[float]]]:
    """Scores all undecided edges, decides the first of them, and repeats.

    Args:
        edges: In the order in which they are decided.
        scorer_at: Called once per iteration.

    Yields:
        Iteration, edge and the scores of its operations: 6 + 5 + … + 1 of NAS-Bench-201.
    """
    decided: dict[Edge, int] = {}
    for iteration, first in enumerate(edges):
        score = scorer_at(iteration, dict(decided))
        found = {edge: score(edge) for edge in edges[iteration:]}
        yield from ((iteration, *one) for one in found.items())
        decided[first] = int(np.nanargmax(found[first]))


def measure_shard(shard: MethodShard) -> int:
    """Runs all iterations of some methods and stores the rows; returns how many methods.

    Raises:
        HarnessError: If this machine lacks the device, or the supernet cannot be trained.
    """
    scoring, seed, first = shard.conditions, shard.seed, shard.methods[0]
    space, task, device = (getattr(scoring.conditions, key) for key in ("space", "task", "device"))
    check_device(device)
    net = supernet(space, task, seed).to(device)
    scorer_of = (_trained if first in TRAINED else _untrained)(scoring, net, seed)
    rows = [
        {"method": method, "iteration": i, "edge": edge[1], "operation": name, "value": value}
        for method in shard.methods
        for i, edge, scores in iterate(net.edges(), scorer_of(method))
        for name, value in zip(net.names(edge), scores, strict=True)
    ]
    computed_on = json.dumps(machine(device), sort_keys=True)
    table = pd.DataFrame(rows).assign(
        setting=scoring.setting(first), seed=seed, machine=computed_on
    )
    scoring.table(first).write((*shard.methods, seed), table)
    return len(shard.methods)


ScorerOf = Callable[[str], ScorerAt]


def _untrained(scoring: OperationScoreConditions, net: Supernet, seed: int) -> ScorerOf:
    """Returns zc-pt and disc-zc; an iteration has one batch, the same for both."""

    def scorer_at(method: str, iteration: int, decided: Decisions) -> EdgeScores:
        batch = scoring.conditions.batch(seeds.stream("iterative scores", seed, iteration))
        scorer = PerturbationScorer(net, decided, batch, scoring.settings)
        if method == "disc_zc":
            return scorer.discretised
        return lambda edge: [-score for score in scorer.masked(edge)]

    return lambda method: partial(scorer_at, method)


def _trained(scoring: OperationScoreConditions, net: Supernet, seed: int) -> ScorerOf:
    """Trains the supernet, then returns darts-pt and disc-acc, which learn on apart."""
    data, recipe = halves(scoring, seed), scoring.recipe
    with seeds.torch_stream("supernet training", seed, device=scoring.conditions.device):
        train_supernet(net, trained_scores.alpha_leaves(net), data, recipe, seed)

    def scorer_at(method: str, own: Supernet, iteration: int, decided: Decisions) -> EdgeScores:
        if iteration and recipe.tune_epochs:
            _learn_on(own, decided, data, scoring, seeds.stream("iteration", seed, iteration))
        if method == "darts_pt":
            return lambda edge: trained_scores.darts_pt(own, decided, edge, data, recipe)
        return lambda edge: trained_scores.disc_acc(own, decided, edge, data, recipe, seed=seed)

    return lambda method: partial(scorer_at, method, copy.deepcopy(net))


def _learn_on(
    net: Supernet, decided: Decisions, data: Halves, scoring: OperationScoreConditions, seed: int
) -> None:
    with net.at(State(decided=decided)):
        alphas = trained_scores.alpha_leaves(net)
        train_supernet(net, alphas, data, scoring.recipe, seed, tune=True)

"""Zero-Cost-PT: decides the edges of an untrained supernet one after the other.

Xiang et al. 2021, "Zero-Cost Proxies Meet Differentiable Architecture Search", algorithms 1 and 2.
Nothing here knows a network: a scorer says what the supernet loses with each operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pandas as pd

from harness.core import seeds
from harness.core.errors import DataError
from harness.search.supernets.supernet import Decisions, Edge
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings

Phase = Literal["rank", "first", "operation", "topology"]
KEPT = 2  # incoming edges of a node of a DARTS cell


class EdgeScores(Protocol):
    """What the batch of one step says about a supernet; lower scores are worth keeping."""

    def masked(self, edge: Edge) -> list[float]:
        """Returns S(A − (e, o)) for every operation of an edge."""

    def removed(self, edges: Sequence[Edge]) -> list[float]:
        """Returns the score without each of the edges, all of one cell type."""


ScorerAt = Callable[[int, Decisions, frozenset[Edge]], EdgeScores]
"""The scorer of a batch number, with some edges decided and some removed."""


@dataclass(frozen=True)
class Perturbed:
    """One perturbation: a masked operation, or with operation −1 a removed edge."""

    edge: int
    operation: int
    score: float
    decided: bool = False


@dataclass(frozen=True)
class Step:
    """What happened to one cell type on one batch.

    Attributes:
        batch: Number of the batch within the iteration.
        kind: Cell type.
        phase: ``rank`` (of all edges, nothing decided), ``first`` (the best edge of that ranking,
            nothing scored anew), ``operation`` or ``topology`` (the edges that a node keeps).
        perturbed: The scores, and which operation or edges were decided.
    """

    batch: int
    kind: str
    phase: Phase
    perturbed: tuple[Perturbed, ...]

    @property
    def evaluations(self) -> int:
        """Number of perturbations that this step scored."""
        return 0 if self.phase == "first" else len(self.perturbed)


@dataclass(frozen=True)
class Problem:
    """One search iteration.

    Attributes:
        operations: Cell type -> per edge the names of its operations.
        pruned_nodes: Per node that keeps two of its incoming edges, these edges.
        settings: ``order`` and ``once_order``.
        stream: Name of the random stream of this iteration.
    """

    operations: Mapping[str, Sequence[Sequence[str]]]
    pruned_nodes: Sequence[Sequence[int]]
    settings: ZeroCostPtSettings
    stream: tuple[object, ...] = ()

    def draw(self, choices: Sequence[int], *place: object) -> int:
        """Draws one of some edges or nodes."""
        return choices[
            int(seeds.numpy_stream("order", *self.stream, *place).integers(len(choices)))
        ]


def search_iteration(
    problem: Problem, scorer_at: ScorerAt, done: Sequence[Step] = ()
) -> Iterator[Step]:
    """Decides every edge of a supernet, and on DARTS which edges remain.

    On each batch every cell type decides one edge; a later type sees what an earlier one decided.

    Args:
        problem: The iteration.
        scorer_at: Scores; called once per step.
        done: The steps that an interrupted run has finished.

    Yields:
        The steps that were missing, in order.
    """
    steps = list(done)
    for batch, kind, phase in schedule(problem)[len(steps) :]:
        scorer = scorer_at(batch, decisions(steps), removed_edges(steps))
        act = {"rank": _rank, "topology": _prune}.get(phase, _decide)
        steps.append(act(problem, steps, batch, kind, scorer))
        yield steps[-1]


def schedule(problem: Problem) -> list[tuple[int, str, Phase]]:
    """Returns batch number, cell type and phase of every step of an iteration."""
    edges = max(map(len, problem.operations.values()))
    phases: list[Phase] = ["rank"] if problem.settings.ranks_once else []
    phases.extend(["operation"] * edges)
    phases.extend(["topology"] * len(problem.pruned_nodes))
    return [
        (batch, kind, phase) for batch, phase in enumerate(phases) for kind in problem.operations
    ]


def count_perturbations(problem: Problem) -> int:
    """Returns the number of perturbations of an iteration, by the paper's formulas (section 4.2).

    With |E| edges of |O| operations: |O||E| for ``fixed`` and ``random``, |O||E|(|E|+1)/2 where
    all undecided edges compete in every step, and 2|O||E|−|O| where they are ranked once and the
    first is taken from the ranking; the released code takes 2|O||E|. On DARTS, every edge into a
    node of more than two is removed once.

    Where edges differ in their number of operations, the formulas need that of the average edge:
    the spaces here all have as many on every edge.
    """
    total = len(problem.operations) * sum(map(len, problem.pruned_nodes))
    for edges in problem.operations.values():
        n, candidates = len(edges), len(edges[0])
        total += candidates * n
        if problem.settings.order.endswith("-iter"):
            total += candidates * n * (n - 1) // 2
        elif problem.settings.ranks_once:
            total += candidates * (n - (problem.settings.once_order == "paper"))
    return total


def decisions(steps: Sequence[Step]) -> dict[Edge, int]:
    """Returns the edges that some steps decided."""
    return {
        (step.kind, one.edge): one.operation
        for step in steps
        if step.phase in ("first", "operation")
        for one in step.perturbed
        if one.decided
    }


def choose(candidates: Sequence[str], scores: pd.DataFrame) -> str:
    """Returns the architecture with the highest sum of scores; the first among equals.

    Args:
        candidates: Architectures, in the order of the iterations that ended with them.
        scores: Columns ``architecture`` and ``score``. An undefined score makes a sum undefined,
            and such an architecture is not chosen.

    Raises:
        DataError: If there are several and none has a defined sum.
    """
    if len(candidates) == 1:
        return candidates[0]
    sums = {
        key: float(np.sum(scores.score[scores.architecture == key].to_numpy()))
        for key in candidates
    }
    defined = {key: value for key, value in sums.items() if not math.isnan(value)}
    if not defined:
        raise DataError(
            f"None of the {len(candidates)} architectures has a defined score on all batches; "
            " take another search.proxy or more search.images."
        )
    return max(defined, key=lambda key: defined[key])


def removed_edges(steps: Sequence[Step]) -> frozenset[Edge]:
    """Returns the edges that some steps cut off."""
    return frozenset(
        (step.kind, one.edge)
        for step in steps
        if step.phase == "topology"
        for one in step.perturbed
        if not one.decided
    )


def _rank(
    problem: Problem, steps: Sequence[Step], batch: int, kind: str, scorer: EdgeScores
) -> Step:
    scores = {edge: scorer.masked((kind, edge)) for edge in range(len(problem.operations[kind]))}
    return Step(batch, kind, "rank", _rows(scores))


def _decide(
    problem: Problem, steps: Sequence[Step], batch: int, kind: str, scorer: EdgeScores
) -> Step:
    """Chooses the next edge by the order, and its operation by the lowest score."""
    decided = {edge for of_kind, edge in decisions(steps) if of_kind == kind}
    undecided = [e for e in range(len(problem.operations[kind])) if e not in decided]
    phase: Phase = "operation"
    if problem.settings.ranks_once and problem.settings.once_order == "paper":
        ranked = _scores(next(s for s in steps if s.phase == "rank" and s.kind == kind))
        edge = _best(problem, {e: ranked[e] for e in undecided})
        scores = {edge: ranked[edge]}
        if decided:
            scores = {edge: scorer.masked((kind, edge))}
        else:
            phase = "first"
    else:
        scores = {e: scorer.masked((kind, e)) for e in _eligible(problem, undecided, batch, kind)}
        edge = _best(problem, scores)
    return Step(batch, kind, phase, _rows(scores, (edge, int(np.nanargmin(scores[edge])))))


def _eligible(problem: Problem, undecided: list[int], batch: int, kind: str) -> list[int]:
    """Returns the undecided edges that a step scores."""
    order = problem.settings.order
    if order == "fixed":
        return undecided[:1]
    if order == "random":
        return [problem.draw(undecided, batch, kind)]
    # The released code never sorts its ranking and takes the edge that it entered last.
    return undecided[-1:] if problem.settings.ranks_once else undecided


def _best(problem: Problem, scores: Mapping[int, Sequence[float]]) -> int:
    """Returns the edge with the lowest score, or with the lowest mean for global-edge orders."""
    summary = np.nanmean if problem.settings.order.startswith("global-edge") else np.nanmin
    return min(scores, key=lambda edge: float(summary(scores[edge])))


def _prune(
    problem: Problem, steps: Sequence[Step], batch: int, kind: str, scorer: EdgeScores
) -> Step:
    """Keeps the two incoming edges of a node whose removal gives the lowest scores."""
    finished = {
        one.edge
        for step in steps
        if step.phase == "topology" and step.kind == kind
        for one in step.perturbed
    }
    nodes = [n for n, edges in enumerate(problem.pruned_nodes) if not finished & set(edges)]
    fixed = problem.settings.order == "fixed"
    node = nodes[0] if fixed else problem.draw(nodes, batch, kind)
    edges = problem.pruned_nodes[node]
    scores = scorer.removed([(kind, edge) for edge in edges])
    kept = {edges[i] for i in np.argsort(scores, kind="stable")[:KEPT]}  # NaN comes last
    rows = (Perturbed(e, -1, s, e in kept) for e, s in zip(edges, scores, strict=True))
    return Step(batch, kind, "topology", tuple(rows))


def _rows(
    scores: Mapping[int, Sequence[float]], decided: tuple[int, int] | None = None
) -> tuple[Perturbed, ...]:
    return tuple(
        Perturbed(edge, operation, score, (edge, operation) == decided)
        for edge, of_edge in scores.items()
        for operation, score in enumerate(of_edge)
    )


def _scores(step: Step) -> dict[int, list[float]]:
    scores: dict[int, list[float]] = {}
    for one in step.perturbed:
        scores.setdefault(one.edge, []).append(one.score)
    return scores

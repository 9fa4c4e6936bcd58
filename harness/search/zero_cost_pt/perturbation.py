"""Scores of operations in an untrained supernet: what is lost without one, or with it alone.

Zero-Cost-PT paper, section 3.1: zc-pt scores an operation o on an edge e by S(A − (e, o)), where
a low score means that o matters; disc-zc by S(A + (e, o)), where a high one does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from harness.core.errors import HarnessError
from harness.core.types import Batch, Score
from harness.passes.run import Run
from harness.passes.transfer import on_host
from harness.scoring import engine
from harness.search.supernets.supernet import (
    Carry,
    Decisions,
    Edge,
    MixingWeights,
    State,
    Supernet,
)
from harness.search.zero_cost_pt.kernel import (
    Kernel,
    KernelRunner,
    composite_relus,
    evaluating,
    log_determinant,
    network_kernel,
)
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings

KERNEL_PROXY = "nwot"


def masked_scores(
    net: Supernet, decisions: Decisions, edge: Edge, batch: Batch, settings: ZeroCostPtSettings
) -> list[float]:
    """Returns S(A − (e, o)) for every operation o of edge e; the lowest is the one to keep.

    Args:
        net: The supernet; it is left as it was.
        decisions: The edges of A that are decided.
        edge: e.
        batch: Images, and labels where the proxy takes them, on the supernet's device.
        settings: ``proxy`` and ``counting``.

    Returns:
        One score per operation; NaN where the proxy has no value.

    Raises:
        HarnessError: If the edge does not exist, or the proxy fails or is undefined throughout.
    """
    return PerturbationScorer(net, decisions, batch, settings).masked(edge)


def discretised_scores(
    net: Supernet, decisions: Decisions, edge: Edge, batch: Batch, settings: ZeroCostPtSettings
) -> list[float]:
    """Returns S(A + (e, o)) for every operation o of edge e; see ``masked_scores``."""
    return PerturbationScorer(net, decisions, batch, settings).discretised(edge)


def network_score(network: nn.Module, batch: Batch, settings: ZeroCostPtSettings) -> float:
    """Returns S of a stand-alone network; NaN where the proxy has no value.

    nwot runs in evaluation mode, as on the supernet; every other proxy as the engine runs it.
    """
    if settings.proxy == KERNEL_PROXY:
        return log_determinant(network_kernel(network, batch.images, settings.counting))
    return _value(engine.score(Run(network, batch), [settings.proxy])[settings.proxy])


class PerturbationScorer:
    """Scores the perturbations of one supernet on one batch.

    Nothing before the first cell of a type depends on what changes in that type, and within that
    cell nothing before the changed edge's target: both run once for all perturbations.

    Args:
        net: The supernet, which is left as it was.
        decisions: The edges of A that are decided.
        batch: The minibatch.
        settings: ``proxy`` and ``counting``.
        removed: Edges of A that are cut off already.
    """

    def __init__(
        self,
        net: Supernet,
        decisions: Decisions,
        batch: Batch,
        settings: ZeroCostPtSettings,
        removed: frozenset[Edge] = frozenset(),
    ) -> None:
        self.net = net
        self._base = State(dict(decisions), removed=removed)
        self._batch = batch
        # Convolution and pooling are several times as fast in this layout on a CPU.
        self._images = batch.images.contiguous(memory_format=torch.channels_last)
        self._settings = settings
        self._prefixes: dict[str, _Prefix] = {}

    def masked(self, edge: Edge) -> list[float]:
        """Returns S(A − (e, o)) for every operation of an edge."""
        operations = range(len(self.net.names(edge)))
        return self._scores(edge, [replace(self._base, masked=(edge, o)) for o in operations])

    def discretised(self, edge: Edge) -> list[float]:
        """Returns S(A + (e, o)) for every operation of an edge."""
        operations = range(len(self.net.names(edge)))
        decided = self._base.decided
        states = [replace(self._base, decided={**decided, edge: o}) for o in operations]
        return self._scores(edge, states)

    def removed(self, edges: Sequence[Edge]) -> list[float]:
        """Returns the score without each of some edges of one cell type."""
        gone = self._base.removed
        return self._scores(edges[0], [replace(self._base, removed=gone | {e}) for e in edges])

    def _scores(self, edge: Edge, states: Sequence[State]) -> list[float]:
        for state in states:
            self.net.check(state)
        if self._settings.proxy == KERNEL_PROXY:
            with evaluating(self.net):
                scores = self._kernel_scores(edge[0], states)
        else:
            scores = [self._proxy_score(state) for state in states]
        if all(map(math.isnan, scores)):
            raise HarnessError(
                f"{self._settings.proxy} is undefined for every perturbation of this supernet; "
                "choose another search.proxy or more search.images."
            )
        return scores

    def _proxy_score(self, state: State) -> float:
        name = self._settings.proxy
        with self.net.at(state):
            return _value(engine.score(Run(self.net, self._batch), [name])[name])

    def _kernel_scores(self, kind: str, states: Sequence[State]) -> list[float]:
        if kind not in self._prefixes:
            self._prefixes[kind] = self._prefix(kind)
        prefix = self._prefixes[kind]
        return [*map(log_determinant, on_host([self._finish(prefix, state) for state in states]))]

    def _prefix(self, kind: str) -> _Prefix:
        """Runs what comes before the first cell of a type, and that cell for its memory."""
        net, images = self.net, self._images
        faithful = self._settings.counting == "faithful"
        doubled = composite_relus(net) if faithful else set()
        kernel = Kernel(net, len(images), doubled, images.device)
        runner = KernelRunner(kernel, zeros=faithful and net.executes_zeros)
        weights = self._weights(self._base)
        cells = net.cells()
        first = [cell.kind for cell in cells].index(kind)
        with kernel.watching():
            carry = net.start(images, runner)
            for cell in cells[:first]:
                carry = cell(carry, weights.get(cell.kind), runner)
                kernel.forget()
            prefix = _Prefix(first, carry, runner, kernel.total)
            with runner.recording():
                cells[first](carry, weights[kind], runner)
        return prefix

    def _finish(self, prefix: _Prefix, state: State) -> Tensor:
        """Runs a state from the first changed cell on and returns its K."""
        net, runner, kernel = self.net, prefix.runner, prefix.runner.kernel
        weights = self._weights(state)
        carry = prefix.carry
        kernel.total = prefix.total
        with kernel.watching():
            for cell in net.cells()[prefix.first :]:
                carry = cell(carry, weights.get(cell.kind), runner)
                kernel.forget()
            net.finish(carry, runner)
        kernel.forget()
        return kernel.total

    def _weights(self, state: State) -> dict[str, MixingWeights]:
        return {kind: self.net.weights(kind, state) for kind in self.net.operations}


@dataclass(frozen=True)
class _Prefix:
    """What all perturbations of one cell type share.

    Attributes:
        first: Index of the first cell of that type.
        carry: What it receives.
        runner: Remembers what that cell did before any perturbation.
        total: K of everything before it.
    """

    first: int
    carry: Carry
    runner: KernelRunner
    total: Tensor


def _value(score: Score) -> float:
    """Returns a score's value, NaN if it is undefined.

    Raises:
        HarnessError: If the proxy failed, which no perturbation explains.
    """
    if score.status in ("ok", "undefined"):
        return score.value
    raise HarnessError(
        f"A supernet cannot be scored ({score.status}: {score.message}); choose another "
        "search.proxy or fewer search.images."
    )

"""Supernets: every candidate operation on every edge at once, with weights that are not trained."""

from __future__ import annotations

from functools import cache, partial

from harness import seeds
from harness.errors import unknown
from harness.search.supernets import darts, nb201
from harness.search.supernets.base import Decisions, Edge, State, Supernet
from harness.tasks import tasks

__all__ = ["SUPERNETS", "Decisions", "Edge", "State", "Supernet", "blueprint", "supernet"]

SUPERNETS = {"nb201": nb201.Nb201Supernet} | {
    name: partial(darts.DartsSupernet, name) for name in darts.CANDIDATES
}


def supernet(space: str, task: str, seed: int) -> Supernet:
    """Builds the supernet of a space with the weights and alphas of a seed.

    Args:
        space: ``nb201``, ``darts`` or one of RobustDARTS's ``darts_s1`` to ``darts_s4``.
        task: Decides the number of classes.
        seed: Which initial weights (PyTorch's defaults) and which untrained alphas.

    Raises:
        HarnessError: If the space has no supernet or the task is unknown.
    """
    with seeds.torch_stream("supernet", space, seed):
        net = _build(space, tasks.get(task).outputs)
    net.draw_alphas(seed)
    return net


@cache
def blueprint(space: str) -> Supernet:
    """Returns a supernet without weights, to ask it for its edges and operations.

    Raises:
        HarnessError: If the space has no supernet.
    """
    with seeds.torch_stream("blueprint"):  # what is drawn here moves no other draw
        return _build(space, classes=10).to("meta")


def _build(space: str, classes: int) -> Supernet:
    if space not in SUPERNETS:
        raise unknown("space with a supernet", space, SUPERNETS)
    net: Supernet = SUPERNETS[space](classes)
    return net

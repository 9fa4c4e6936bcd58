"""The supernets by the name of their space, with untrained weights or with none at all."""

from __future__ import annotations

from functools import cache, partial

from harness.core import seeds
from harness.core.errors import unknown
from harness.inputs.tasks import tasks
from harness.search.supernets.darts_supernet import DartsSupernet
from harness.search.supernets.nb201_supernet import Nb201Supernet
from harness.search.supernets.supernet import Supernet
from harness.spaces.darts_candidates import CANDIDATES

SUPERNETS = {"nb201": Nb201Supernet} | {name: partial(DartsSupernet, name) for name in CANDIDATES}


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

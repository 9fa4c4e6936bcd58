"""Perturbation scores of a supernet: the harness against the plain loop.

    python -m benchmarks.zero_cost_pt [nb201|darts] [images]

The plain loop runs the whole supernet once per masked operation and adds X·Xᵀ + (1−X)(1−X)ᵀ for
every call of a ReLU. The harness runs once what the perturbations of an edge share, compares each
distinct tensor once, however many ReLUs read it, and multiplies bytes. Times are CPU seconds of
one thread per perturbation, so that a busy machine does not move them much.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn

from harness import api
from harness.search.supernets.named_supernets import supernet
from harness.search.supernets.supernet import Edge, State, Supernet
from harness.search.zero_cost_pt.kernel import evaluating
from harness.search.zero_cost_pt.perturbation import masked_scores
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings

EDGES: dict[str, tuple[Edge, ...]] = {
    "nb201": (("cell", 0), ("cell", 5)),
    "darts": (("normal", 5), ("reduce", 5)),
}


def plain_score(net: Supernet, state: State, images: Tensor) -> float:
    """Scores one state in the plain way, counting each ReLU once."""
    total = torch.zeros(len(images), len(images))

    def see(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        bits = (inputs[0] > 0).float().flatten(1)
        total.add_(bits @ bits.T + (1 - bits) @ (1 - bits).T)

    with ExitStack() as hooks, evaluating(net), net.at(state):
        for module in net.modules():
            if isinstance(module, nn.ReLU):
                hooks.callback(module.register_forward_pre_hook(see).remove)
        net(images)
    return float(np.linalg.slogdet(total.double().numpy())[1])


def seconds(function: Callable[[], object]) -> tuple[float, object]:
    """Returns the CPU seconds of a call and its result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def measure(space: str, images: int) -> None:
    """Prints the ratio for two edges of a supernet."""
    net = supernet(space, "cifar10", seed=0)
    inputs = api.InputSettings(source="gaussian")
    batch = api.batch("cifar10", inputs=inputs, size=images).to("cpu", channels_last=True)
    for edge in EDGES[space]:
        last = len(net.names(edge)) - 1
        state = State(masked=(edge, last))
        plain, expected = seconds(lambda: plain_score(net, state, batch.images))
        fast, scores = seconds(lambda: masked_scores(net, {}, edge, batch, ZeroCostPtSettings()))
        each = fast / (last + 1)
        print(  # noqa: T201 - this is a script
            f"{space}, {images} images, edge {edge}: plain loop {plain:.2f} s, harness "
            f"{each:.2f} s per perturbation, {plain / each:.1f} times as fast; "
            f"scores {expected:.6f} and "
            f"{scores[last]:.6f}"  # type: ignore[index]
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    chosen = sys.argv[1:2] or list(EDGES)
    for name in chosen:
        images = int(sys.argv[2]) if len(sys.argv) > 2 else ZeroCostPtSettings().images_on(name)
        measure(name, images)

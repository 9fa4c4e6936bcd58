"""The DARTS search space: a normal and a reduction cell for CIFAR and ImageNet networks.

Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019. Each of a cell's
four nodes takes two different inputs through one of seven operations; ``none`` is not among them.
The key is that of ``nb301`` with the inputs of every node in ascending order, so that one
architecture has one key.

SWAP-NAS (Peng et al., ICLR 2024) does not score the network that is trained in the end, but a
small one made of the same cells: ``ScoredDarts``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness.inputs.tasks import Task
from harness.spaces import darts, nb301
from harness.spaces.cell_graph import CellGraph
from harness.spaces.darts import NODES, Edges, Genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.drawn import DrawnSpace
from harness.spaces.space import spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

CIFAR = Skeleton(channels=36, layers=20)
IMAGENET = Skeleton(channels=48, layers=14, stem="imagenet")
SCORED = Skeleton(channels=3, layers=1, stem="none")
IMAGENET_SIDE = 224


def sorted_genotype(genotype: Genotype) -> Genotype:
    """Returns the same architecture with the inputs of every node in ascending order."""
    return Genotype(*map(_sorted_edges, genotype))


def _sorted_edges(edges: Edges) -> Edges:
    nodes = (edges[first : first + 2] for first in range(0, 2 * NODES, 2))
    return tuple(edge for node in nodes for edge in sorted(node, key=lambda edge: edge[1]))


def printed(key: str) -> str:
    """Returns the genotype of a key as DARTS prints it."""
    return darts.print_genotype(nb301.parse(key))


def final_skeleton(task: str) -> Skeleton:
    """Returns what surrounds the cells in the network that is trained for ``task``."""
    return IMAGENET if task == "imagenet" else CIFAR


class DartsSpace(DrawnSpace):
    """DARTS architectures and the networks that are trained in the end, without auxiliary head."""

    name = "darts"
    spellings: ClassVar[Mapping[str, str]] = nb301.NasBench301.spellings
    tasks = ("cifar10", "cifar100", "svhn", "imagenet", "digits")

    def draw(self, random: np.random.Generator) -> str:
        """Draws two different inputs and two operations per node, all uniformly."""
        return self.canonical(nb301.NasBench301().draw(random))

    def canonical(self, key: str) -> str:
        """Returns the key with the inputs of every node in ascending order."""
        return nb301.to_key(sorted_genotype(nb301.parse(key)))

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds 20 cells of 36 channels for CIFAR, 14 cells of 48 channels for ImageNet."""
        from harness.spaces.networks.darts_network import DartsNetwork

        return DartsNetwork(nb301.parse(key), final_skeleton(task.name), task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters of the network that is trained in the end."""
        return count_params(nb301.parse(key), final_skeleton(task), self.task(task).outputs)

    def theta_params(self, key: str, task: str) -> int:
        """Counts the parameters of SWAP-NAS's small network, which its Θ means."""
        return ScoredDarts().count_params(key, task)

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the normal and the reduction cell."""
        normal, reduce = map(darts.graph, nb301.parse(key))
        return normal, reduce

    def isomorphism_class(self, key: str) -> str:
        """Names the function that the two cells compute, whatever the order of their nodes."""
        return " ".join(darts.cell_class(cell) for cell in nb301.parse(key))


class ScoredDarts(DartsSpace):
    """The same architectures with the small network that SWAP-NAS scores in their place.

    With one layer, as in the released code, the only cell is a reduction cell: the normal cell
    never runs. Three layers are one normal cell and two reduction cells.

    Args:
        channels: Channels of the first cell's nodes before any reduction.
        layers: Number of cells.
    """

    def __init__(self, channels: int = SCORED.channels, layers: int = SCORED.layers) -> None:
        self.skeleton = replace(SCORED, channels=channels, layers=layers)

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the small network, which has no stem: its first cell sees the image."""
        from harness.spaces.networks.darts_network import DartsNetwork

        return DartsNetwork(nb301.parse(key), self.skeleton, task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters of the small network, classifier included."""
        return count_params(nb301.parse(key), self.skeleton, self.task(task).outputs)

    def theta_params(self, key: str, task: str) -> int:
        """Counts the parameters of the small network."""
        return self.count_params(key, task)


def tied(cell: Edges) -> Genotype:
    """Returns the genotype whose normal and reduction cells are the same."""
    return Genotype(normal=cell, reduce=cell)


spaces.add(DartsSpace.name, DartsSpace())

"""Architectures that Zero-Cost-PT selects: their names, stand-alone networks and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from harness.core import seeds
from harness.inputs.tasks import tasks
from harness.search.supernets.supernet import Decisions, Edge, PlacedNoise
from harness.spaces import nb201
from harness.spaces.darts import Genotype, print_genotype
from harness.spaces.darts_candidates import EDGES, KINDS, darts_genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.networks.darts_network import DartsCell, DartsNetwork
from harness.spaces.networks.darts_operations import Noise
from harness.spaces.space import spaces

# Stage 2 compares networks as small as the supernet; the selected one is trained at final size.
COMPARED = Skeleton(channels=16, layers=8)
FINAL = Skeleton(channels=36, layers=20)

Operations = Mapping[str, Sequence[Sequence[str]]]


def architecture(operations: Operations, decided: Decisions, removed: frozenset[Edge]) -> str:
    """Returns the key of a NAS-Bench-201 cell, or a genotype as DARTS prints it.

    Args:
        operations: Of the supernet: cell type -> per edge the names of its operations.
        decided: Every edge.
        removed: The edges that no node kept.
    """
    if "cell" in operations:
        return nb201.to_key(
            [names[decided["cell", e]] for e, names in enumerate(operations["cell"])]
        )
    cells = (tuple(_genes(kind, operations, decided, removed)) for kind in KINDS)
    return print_genotype(Genotype(*cells))


def build(space: str, key: str, task: str, seed: int) -> nn.Module:
    """Builds the stand-alone network that stage 2 compares, with the initial weights of a seed.

    NAS-Bench-201: the benchmark's network. DARTS: 8 cells of 16 channels without auxiliary head.
    """
    if space == "nb201":
        return spaces.get(space).build(key, task, seed)
    genotype = darts_genotype(key)
    with seeds.torch_stream("weights", seed, key):
        network = DartsNetwork(genotype, COMPARED, tasks.get(task).outputs)
    for index, cell in enumerate(network.cells):
        assert isinstance(cell, DartsCell)
        for gene, operation in enumerate(cell.operations):
            if isinstance(operation, Noise):
                cell.operations[gene] = PlacedNoise(operation.stride, (index, gene))
    return network


def final_params(space: str, key: str, task: str) -> int:
    """Counts the parameters of the network that would be trained.

    NAS-Bench-201: the benchmark's. DARTS: 20 cells of 36 channels, auxiliary head not counted, as
    papers do.
    """
    if space == "nb201":
        return spaces.get(space).count_params(key, task)
    return count_params(darts_genotype(key), FINAL, tasks.get(task).outputs)


def _genes(
    kind: str, operations: Operations, decided: Decisions, removed: frozenset[Edge]
) -> list[tuple[str, int]]:
    """Returns (operation, source) of the edges that remain, node by node.

    A genotype holds no ``none``: where that won, the released code prints the first other
    operation of the edge, and so does this.
    """
    genes = []
    for edge, (source, _) in enumerate(EDGES):
        names = operations[kind][edge]
        name = names[decided[kind, edge]]
        if (kind, edge) not in removed:
            genes.append((name if name != "none" else names[1], source))
    return genes

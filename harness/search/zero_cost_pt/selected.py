"""Architectures that Zero-Cost-PT selects: their names, stand-alone networks and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from harness.core import seeds
from harness.inputs.tasks import tasks
from harness.search.supernets.darts_candidates import EDGES, KINDS
from harness.search.supernets.supernet import Decisions, Edge, Noise
from harness.spaces import nb201
from harness.spaces.darts import NODES, OPERATIONS, Edges, Genotype, checked_edges, parse_genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.networks.darts_network import DartsCell, DartsNetwork
from harness.spaces.space import spaces

# Stage 2 compares networks as small as the supernet; the selected one is trained at final size.
COMPARED = Skeleton(channels=16, layers=8)
FINAL = Skeleton(channels=36, layers=20)
NOISE = "noise"

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
    normal, reduce = (_genes(kind, operations, decided, removed) for kind in KINDS)
    concat = list(range(2, 2 + NODES))
    return (
        f"Genotype(normal={normal}, normal_concat={concat}, "
        f"reduce={reduce}, reduce_concat={concat})"
    )


def build(space: str, key: str, task: str, seed: int) -> nn.Module:
    """Builds the stand-alone network that stage 2 compares, with the initial weights of a seed.

    NAS-Bench-201: the benchmark's network. DARTS: 8 cells of 16 channels without auxiliary head.
    """
    if space == "nb201":
        return spaces.get(space).build(key, task, seed)
    genotype = _genotype(key)
    with seeds.torch_stream("weights", seed, key):
        network = DartsNetwork(_without_noise(genotype), COMPARED, tasks.get(task).outputs)
    for index, (cell, place) in enumerate(zip(network.cells, COMPARED.placements(), strict=True)):
        assert isinstance(cell, DartsCell)
        genes = genotype.reduce if place.reduction else genotype.normal
        for gene, (name, source) in enumerate(genes):
            if name == NOISE:
                stride = 2 if place.reduction and source < 2 else 1
                cell.operations[gene] = Noise(stride, (index, gene))
    return network


def final_params(space: str, key: str, task: str) -> int:
    """Counts the parameters of the network that would be trained.

    NAS-Bench-201: the benchmark's. DARTS: 20 cells of 36 channels, auxiliary head not counted, as
    papers do.
    """
    if space == "nb201":
        return spaces.get(space).count_params(key, task)
    return count_params(_genotype(key), FINAL, tasks.get(task).outputs)


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


def _genotype(key: str) -> Genotype:
    normal, reduce = parse_genotype(key)
    known = (*OPERATIONS, NOISE)
    return Genotype(
        checked_edges(normal, known, distinct=True), checked_edges(reduce, known, distinct=True)
    )


def _without_noise(genotype: Genotype) -> Genotype:
    """Puts an operation without weights in the place of noise."""
    return Genotype(*(_quiet(cell) for cell in genotype))


def _quiet(edges: Edges) -> Edges:
    return tuple(("max_pool_3x3" if name == NOISE else name, source) for name, source in edges)

"""The one-cell DARTS networks that were published with SWAP-Score, trained on CIFAR-10.

Peng et al., "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-Fast NAS", ICLR 2024. The cell
sees the image itself, without a stem, and as the only cell it is a reduction cell: three channels
become six at half the resolution. The normal cell is never used, and all published genotypes have
the same cell twice, so the key is that cell: one group per node, one entry per edge, as in
``|none~0|dil_conv_5x5~0|+|sep_conv_5x5~0|max_pool_3x3~1|+|...|+|...|``. Unlike in DARTS, ``none``
is allowed, and a node may take the same input twice.

The published network returns its pooled features and counts the classifier among its parameters
all the same; here the network returns the classifier's logits. Its ReLUs do the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from harness.core.errors import HarnessError, shown
from harness.inputs.tasks import Task
from harness.spaces import darts
from harness.spaces.cell_graph import CellGraph
from harness.spaces.darts import Edges, Genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.drawn import not_listed
from harness.spaces.space import Space, spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

OPERATIONS = ("none", *darts.OPERATIONS)
SKELETON = Skeleton(channels=3, layers=1, stem="none")
SKELETON_C1 = Skeleton(channels=1, layers=1, stem="none", image_channels=1)


def parse(key: str) -> Edges:
    """Returns the eight (operation, source) pairs of an architecture.

    Args:
        key: The key, or ``Genotype(normal=[...], ...)`` with the same cell twice.

    Raises:
        HarnessError: If the text is not a cell of this space.
    """
    text = str(key).strip()
    if darts.is_genotype(text):
        return _one_cell(text)
    edge = r"\|([a-z0-9_]+)~([0-9])"
    node = rf"{edge}{edge}\|"
    match = re.fullmatch(r"\+".join([node] * darts.NODES), text, re.ASCII)
    if match is None:
        raise HarnessError(
            f"{shown(text)} is not a one-cell DARTS architecture; expected the form "
            "|sep_conv_3x3~0|none~1|+|...|+|...|+|...|, one group of two edges per node, "
            "or a genotype as DARTS prints it."
        )
    names, sources = match.groups()[::2], map(int, match.groups()[1::2])
    return _checked(list(zip(names, sources, strict=True)))


def _checked(edges: object) -> Edges:
    return darts.checked_edges(edges, OPERATIONS, distinct=False)


def to_key(edges: Sequence[tuple[str, int]]) -> str:
    """Returns the key of eight (operation, source) pairs.

    Raises:
        HarnessError: If they are not a cell of this space.
    """
    entries = [f"{operation}~{source}" for operation, source in _checked(edges)]
    return "+".join(f"|{a}|{b}|" for a, b in zip(entries[::2], entries[1::2], strict=True))


def from_genotype(text: str) -> str:
    """Returns the key of ``Genotype(normal=[...], ...)``, as the published table writes it.

    Raises:
        HarnessError: If the text is not a genotype of this space, or its two cells differ.
    """
    return to_key(_one_cell(text))


def _one_cell(text: str) -> Edges:
    normal, reduce = map(_checked, darts.parse_genotype(text))
    if normal != reduce:
        raise HarnessError(
            f"A one-cell DARTS network has one cell, but normal and reduce differ in {shown(text)}."
        )
    return reduce


class DartsSwap(Space):
    """The one-cell DARTS networks that were published with SWAP-Score."""

    name = "darts_swap"
    spellings: ClassVar[Mapping[str, str]] = {
        "cell": "|none~0|dil_conv_5x5~0|+|sep_conv_5x5~0|max_pool_3x3~1|+"
        "|skip_connect~1|sep_conv_3x3~2|+|avg_pool_3x3~0|skip_connect~4|",
        "genotype (DARTS) with this cell twice": "Genotype(normal=[('none', 0), "
        "('dil_conv_5x5', 0), ('sep_conv_5x5', 0), ('max_pool_3x3', 1), ('skip_connect', 1), "
        "('sep_conv_3x3', 2), ('avg_pool_3x3', 0), ('skip_connect', 4)], "
        "normal_concat=range(2, 6), reduce=[('none', 0), ('dil_conv_5x5', 0), "
        "('sep_conv_5x5', 0), ('max_pool_3x3', 1), ('skip_connect', 1), ('sep_conv_3x3', 2), "
        "('avg_pool_3x3', 0), ('skip_connect', 4)], reduce_concat=range(2, 6))",
    }
    skeleton: ClassVar[Skeleton] = SKELETON
    tasks = ("cifar10", "digits")

    def keys(self) -> Sequence[str]:
        """Lists nothing: which cells were published is only known from their table.

        Raises:
            HarnessError: Always.
        """
        raise not_listed(self.name)

    def canonical(self, key: str) -> str:
        """Returns the key; edges keep their order."""
        return to_key(parse(key))

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the one-cell network: 8 features per channel, then the classifier."""
        from harness.spaces.networks.darts_network import DartsNetwork

        return DartsNetwork(self._genotype(key), self.skeleton, task.outputs)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters, classifier included; at C=3, 310 surround the operations."""
        return count_params(self._genotype(key), self.skeleton, self.task(task).outputs)

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the one cell."""
        return (darts.graph(parse(key)),)

    def isomorphism_class(self, key: str) -> str:
        """Names the function that the cell computes, whatever the order of its nodes.

        Both inputs are the image, so that exchanging them changes nothing either.
        """
        edges = parse(key)
        return min(darts.cell_class(edges, inputs) for inputs in (("0", "1"), ("1", "0")))

    @staticmethod
    def _genotype(key: str) -> Genotype:
        edges = parse(key)
        return Genotype(normal=edges, reduce=edges)


class DartsSwapC1(DartsSwap):
    """The same cells at C=1 on images of one channel (``inputs.channels=1``).

    The paper does not say how wide the networks of its Table 3 are. The released script's C=3
    counts over four times as many patterns as printed there; at C=1 they are about as many.
    """

    name = "darts_swap_c1"
    skeleton = SKELETON_C1


spaces.add(DartsSwap.name, DartsSwap())
spaces.add(DartsSwapC1.name, DartsSwapC1())

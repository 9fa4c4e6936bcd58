"""NAS-Bench-301: DARTS cells without ``none``, about 10^18 architectures, CIFAR-10.

Zela et al., "Surrogate NAS Benchmarks: Going Beyond the Limited Search Spaces of Tabular NAS
Benchmarks", ICLR 2022. The key is the compact form that NASLib and NAS-Bench-Suite-Zero print:
``(normal, reduction)``, each cell eight pairs ``(source, operation id)``, two for each of the
nodes 2 to 5; the ids count through ``darts.OPERATIONS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from harness.core.errors import HarnessError, shown
from harness.inputs.tasks import Task
from harness.spaces import darts, spelling
from harness.spaces.cell_graph import CellGraph
from harness.spaces.darts import NODES, OPERATIONS, Genotype
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.drawn import DrawnSpace
from harness.spaces.space import spaces

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

Style = Literal["original", "suite_zero"]


def parse(key: str) -> Genotype:
    """Returns the genotype of an architecture.

    Args:
        key: The key, where round and square brackets mean the same, or ``Genotype(normal=[...],
            ...)`` as DARTS prints it.

    Raises:
        HarnessError: If the text is not an architecture of the benchmark.
    """
    text = str(key).strip()
    if darts.is_genotype(text):
        return _checked(*darts.parse_genotype(text))
    try:
        normal, reduce = (
            [(_operation(number), source) for source, number in cell]
            for cell in spelling.literal(text)  # type: ignore[attr-defined]
        )
    except (TypeError, ValueError) as error:
        raise HarnessError(
            f"{shown(text)} is not a DARTS or NAS-Bench-301 architecture; expected the form "
            "(((0, 6), (1, 4), ...), ((0, 1), (1, 4), ...)): two cells of eight (source, "
            "operation id) pairs, or a genotype as DARTS prints it."
        ) from error
    return _checked(normal, reduce)


def _operation(number: object) -> str:
    """Returns the name of an operation id, and the print of anything else, which names none."""
    if type(number) is int and 0 <= number < len(OPERATIONS):
        return OPERATIONS[number]
    return repr(number)


def _checked(normal: object, reduce: object) -> Genotype:
    return Genotype(
        *(darts.checked_edges(cell, OPERATIONS, distinct=True) for cell in (normal, reduce))
    )


def to_key(genotype: Genotype) -> str:
    """Returns the key of a genotype.

    Raises:
        HarnessError: If the genotype is not an architecture of the benchmark.
    """
    cells = _checked(*genotype)
    return str(
        tuple(
            tuple((source, OPERATIONS.index(operation)) for operation, source in cell)
            for cell in cells
        )
    )


def from_genotype(text: str) -> str:
    """Returns the key of ``Genotype(normal=[...], ...)`` as DARTS prints it.

    Raises:
        HarnessError: If the text is not an architecture of the benchmark.
    """
    return to_key(_checked(*darts.parse_genotype(text)))


class NasBench301(DrawnSpace):
    """NAS-Bench-301: DARTS cells in networks of 32 channels and eight cells.

    Args:
        style: ``original``: the networks that the benchmark trained. ``suite_zero``: those that
            NAS-Bench-Suite-Zero scored, whose operations have batch norms without weights and
            whose poolings are followed by one.
        auxiliary: Whether to build the auxiliary head, with which the benchmark trained.
    """

    name = "nb301"
    spellings: ClassVar[Mapping[str, str]] = {
        "compact form (NASLib, NAS-Bench-Suite-Zero)": "(((0, 3), (1, 3), (0, 3), (1, 3), (0, 2), "
        "(1, 3), (0, 2), (2, 5)), ((0, 0), (1, 0), (1, 0), (2, 2), (0, 0), (2, 2), (1, 0), "
        "(2, 2)))",
        "genotype (DARTS)": "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), "
        "('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
        "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 1), "
        "('skip_connect', 2), ('max_pool_3x3', 0), ('skip_connect', 2), ('max_pool_3x3', 1), "
        "('skip_connect', 2)], reduce_concat=[2, 3, 4, 5])",
    }
    tasks = ("cifar10", "digits")

    def __init__(self, style: Style = "original", *, auxiliary: bool = False) -> None:
        if style not in ("original", "suite_zero"):
            raise HarnessError(
                f"style={style!r} is not a NAS-Bench-301 network; use 'original' or 'suite_zero'."
            )
        self.style = style
        self.auxiliary = auxiliary

    def draw(self, random: np.random.Generator) -> str:
        """Draws an architecture as NAS-Bench-Suite-Zero does.

        Every node takes two different inputs and two operations, all uniformly; the inputs are
        not sorted.
        """
        cells = []
        for _ in Genotype._fields:
            sources = [random.choice(2 + node, size=2, replace=False) for node in range(NODES)]
            labels = random.integers(len(OPERATIONS), size=2 * NODES)
            pairs = zip(np.concatenate(sources).tolist(), labels.tolist(), strict=True)
            cells.append(tuple(pairs))
        return str(tuple(cells))

    def canonical(self, key: str) -> str:
        """Returns the key in the benchmark's spelling; edges keep their order."""
        return to_key(parse(key))

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the network in the style and with the head that this space was made with.

        Raises:
            HarnessError: If the auxiliary head does not fit the task's images.
        """
        if self.auxiliary and task.input_shape[1:] != (32, 32):
            raise HarnessError(
                f"The auxiliary head needs 32×32 images, but those of {task.name} are "
                f"{task.input_shape[1]}×{task.input_shape[2]}; leave the head out."
            )
        from harness.spaces.networks.darts_network import DartsNetwork

        return DartsNetwork(parse(key), self._skeleton(self.auxiliary), task.outputs)

    def count_params(self, key: str, task: str, *, auxiliary: bool | None = None) -> int:
        """Counts the parameters.

        Args:
            key: The architecture.
            task: The task, for the number of classes.
            auxiliary: Whether to count the auxiliary head (468,234 for ten classes); by default,
                whether this space builds it.
        """
        skeleton = self._skeleton(self.auxiliary if auxiliary is None else auxiliary)
        return count_params(parse(key), skeleton, self.task(task).outputs)

    def theta_params(self, key: str, task: str) -> int:
        """Counts the parameters for SWAP's Θ: with the auxiliary head.

        Only so does the range in the SWAP paper's appendix B, 1.0 to 1.8 million, come out.
        """
        return self.count_params(key, task, auxiliary=True)

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the normal and the reduction cell."""
        normal, reduce = map(darts.graph, parse(key))
        return normal, reduce

    def isomorphism_class(self, key: str) -> str:
        """Names the function that the two cells compute.

        The order of nodes, and of the inputs of a node, does not matter.
        """
        return " ".join(darts.cell_class(cell) for cell in parse(key))

    def _skeleton(self, auxiliary: bool) -> Skeleton:
        return Skeleton(32, 8, auxiliary=auxiliary, affine=self.style == "original")


spaces.add(NasBench301.name, NasBench301())

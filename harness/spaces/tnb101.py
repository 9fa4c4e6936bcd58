"""TransNAS-Bench-101: a cell-level (micro) and a macro-level search space over seven tasks.

Duan et al., "TransNAS-Bench-101: Improving Transferability and Generalizability of Cross-Task
Neural Architecture Search", CVPR 2021. Keys are the benchmark's strings: ``64-41414-3_33_333``
(micro: fixed modules, one group of digits per node, one digit per incoming edge) and
``64-1234-basic`` (macro: one digit per module).

The benchmark's API numbers the architectures in the order of its database file, which nothing else
tells, so an index is not a key here.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING, ClassVar

from harness.core.errors import HarnessError, shown
from harness.inputs.tasks import Task
from harness.spaces import spelling, tnb101_sizes
from harness.spaces.cell_graph import CellGraph
from harness.spaces.space import Space, spaces
from harness.spaces.tnb101_sizes import CONV_1X1, CONV_3X3, EDGES, NONE, SKIP

if TYPE_CHECKING:  # keys need no torch
    from torch import nn

    from harness.spaces.networks.tnb101_encoder import TransNasEncoder

TASKS = (
    "class_scene",
    "class_object",
    "room_layout",
    "jigsaw",
    "segmentsemantic",
    "normal",
    "autoencoder",
)
MICRO_MODULES = "41414"
MICRO_OPERATIONS = {NONE: "none", SKIP: "skip", CONV_1X1: "conv1x1", CONV_3X3: "conv3x3"}
MACRO_OPERATIONS = {
    "1": "conv_block",
    "2": "conv_block_doubling",
    "3": "conv_block_halving",
    "4": "conv_block_both",
}


def parse_micro(key: str) -> str:
    """Returns the six operation digits of an architecture.

    Args:
        key: The architecture string, or NASLib's tuple as text.

    Returns:
        One digit per edge, in the order of ``tnb101_sizes.EDGES``.

    Raises:
        HarnessError: If the text is not an architecture of the micro space.
    """
    text = str(key).strip()
    if numbers := spelling.integers(spelling.literal(text)):
        text = micro_from_naslib(numbers)
    form = re.fullmatch(rf"64-{MICRO_MODULES}-([0-3])_([0-3]{{2}})_([0-3]{{3}})", text)
    if form is None:
        raise HarnessError(
            f"{shown(text)} is not a TransNAS-Bench-101 micro architecture; expected the form "
            f"64-{MICRO_MODULES}-a_bc_def with digits 0 (none), 1 (skip), 2 (1×1 convolution) "
            "and 3 (3×3 convolution), or NASLib's tuple (a, b, c, d, e, f). An index is not "
            "enough: only the benchmark's file tells its order."
        )
    return "".join(form.groups())


def parse_macro(key: str) -> str:
    """Returns the module digits of an architecture.

    Args:
        key: The architecture string, or NASLib's tuple as text.

    Raises:
        HarnessError: If the text is not an architecture of the macro space.
    """
    text = str(key).strip()
    if numbers := spelling.integers(spelling.literal(text)):
        text = macro_from_naslib(numbers)
    form = re.fullmatch(r"64-([1-4]{4,6})-basic", text)
    if form is None:
        raise HarnessError(
            f"{shown(text)} is not a TransNAS-Bench-101 macro architecture; expected the form "
            "64-abcd-basic with 4 to 6 module digits from 1 to 4, or NASLib's tuple (a, b, c, d). "
            "An index is not enough: only the benchmark's file tells its order."
        )
    modules = form.group(1)
    if not _is_in_macro_space(modules):
        raise HarnessError(
            f"{text!r} lies outside the TransNAS-Bench-101 macro space; expected 1 to 4 modules "
            "that halve the resolution (digits 3, 4) and 1 to 3 that double the width (2, 4)."
        )
    return modules


def micro_from_naslib(operations: Sequence[int]) -> str:
    """Returns the micro key of one of NASLib's tuples.

    Its six numbers are the digits of the string, in the string's order. NASLib's own lists of
    operations and edges say otherwise, but its conversion, hence all its results, ignore them.

    Raises:
        HarnessError: If these are not six numbers from 0 to 3.
    """
    if len(operations) != 6 or any(operation not in range(4) for operation in operations):
        raise HarnessError(
            f"{shown(tuple(operations))} is not a TransNAS-Bench-101 micro architecture of NASLib; "
            "expected six numbers from 0 to 3."
        )
    return _to_micro_key("".join(str(int(operation)) for operation in operations))


def macro_from_naslib(modules: Sequence[int]) -> str:
    """Returns the macro key of one of NASLib's tuples, padded to six with zeros or not.

    Raises:
        HarnessError: If these are not 4 to 6 module digits, followed by zeros at most.
    """
    if len(modules) > 6 or any(module not in range(5) for module in modules):
        raise HarnessError(
            f"{shown(tuple(modules))} is not a TransNAS-Bench-101 macro architecture of NASLib; "
            "expected 4 to 6 numbers from 1 to 4, padded with zeros to six at most."
        )
    digits = "".join(str(int(module)) for module in modules).rstrip("0")
    return _to_macro_key(parse_macro(_to_macro_key(digits)))


def _to_micro_key(operations: str) -> str:
    return f"64-{MICRO_MODULES}-{operations[0]}_{operations[1:3]}_{operations[3:]}"


def _to_macro_key(modules: str) -> str:
    return f"64-{modules}-basic"


def _is_in_macro_space(modules: str) -> bool:
    halving, doubling = (sum(digit in kind for digit in modules) for kind in ("34", "24"))
    return 1 <= halving <= 4 and 1 <= doubling <= 3


class TransNasSpace(Space):
    """What both spaces share: tasks, decoders, and how the parts make a network.

    Args:
        discriminator: Give the networks of ``normal`` and ``autoencoder`` the discriminator that
            the benchmark's model object carries and never runs. Parameter counts include it then,
            and so does every proxy that reads all weights.
    """

    tasks = TASKS

    def __init__(self, *, discriminator: bool = False) -> None:
        self.discriminator = discriminator

    @abstractmethod
    def modules(self, key: str) -> str:
        """Returns the module digits of an architecture."""

    def numbered(self) -> Sequence[str]:
        """Numbers nothing.

        Raises:
            HarnessError: Always.
        """
        raise HarnessError(
            f"An index does not name an architecture of {self.name}, since only the benchmark's "
            f"file tells its order; give the key, for example {self.keys()[0]}."
        )

    @abstractmethod
    def encoder(self, key: str) -> TransNasEncoder:
        """Builds the encoder of an architecture."""

    @abstractmethod
    def count_encoder_params(self, key: str) -> int:
        """Returns the number of parameters of the encoder, without building it."""

    def network(self, key: str, task: Task) -> nn.Module:
        """Builds the benchmark's network; only the encoder's weights are Kaiming's."""
        from harness.spaces.networks import tnb101_decoders
        from harness.spaces.networks.tnb101_network import SiameseNetwork, TransNasNetwork

        modules = self.modules(key)
        encoder = self.encoder(key)
        width, doublings = tnb101_sizes.output_width(modules), tnb101_sizes.halvings(modules)
        decoder = tnb101_decoders.decoder(task, width, doublings)
        if task.name == "jigsaw":
            return SiameseNetwork(encoder, decoder)
        rider = tnb101_decoders.discriminator() if self._has_rider(task) else None
        return TransNasNetwork(encoder, decoder, rider)

    def count_params(self, key: str, task: str) -> int:
        """Counts the parameters of encoder and decoder, and of the discriminator if it is on."""
        spec = self.task(task)
        width = tnb101_sizes.output_width(self.modules(key))
        rider = tnb101_sizes.count_discriminator() if self._has_rider(spec) else 0
        return self.count_encoder_params(key) + tnb101_sizes.count_decoder(spec, width) + rider

    def _has_rider(self, task: Task) -> bool:
        return self.discriminator and task.name in tnb101_sizes.ADVERSARIAL_TASKS


class TransNasMicro(TransNasSpace):
    """TransNAS-Bench-101, micro level: 4,096 cells of four nodes and six edges."""

    name = "tnb101_micro"
    spellings: ClassVar[Mapping[str, str]] = {
        "architecture string": "64-41414-1_02_333",
        "NASLib's tuple": "(1, 0, 2, 3, 3, 3)",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 4,096 architecture strings in alphabetical order."""
        return _micro_keys()

    def canonical(self, key: str) -> str:
        """Returns the architecture string."""
        return _to_micro_key(parse_micro(key))

    def modules(self, key: str) -> str:
        """Returns the module digits that all cells share."""
        parse_micro(key)
        return MICRO_MODULES

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the cell."""
        operations = map(MICRO_OPERATIONS.__getitem__, parse_micro(key))
        arcs = ((*edge, operation) for edge, operation in zip(EDGES, operations, strict=True))
        return (CellGraph(tuple(arcs)),)

    def encoder(self, key: str) -> TransNasEncoder:
        """Builds the encoder: ten copies of the cell, three of which halve the resolution."""
        from harness.spaces.networks.tnb101_encoder import TransNasCell, TransNasEncoder

        return TransNasEncoder(MICRO_MODULES, partial(TransNasCell, parse_micro(key)))

    def count_encoder_params(self, key: str) -> int:
        """Counts the parameters; 19,488 in the stem remain when the cell has no operation."""
        return tnb101_sizes.count_encoder(
            MICRO_MODULES, partial(tnb101_sizes.count_cell, parse_micro(key))
        )

    def isomorphism_class(self, key: str) -> str:
        """Names the function that the cell computes; the benchmark itself defines no classes.

        Two cells share a class if their graphs are equal once ``none`` edges and dead ends are
        gone and skips are merged. Only skips that are the identity in all ten cells merge, so not
        those from the cell's input. A convolution of an empty node is a learned constant and
        stays.
        """
        operations = dict(zip(tnb101_sizes.EDGES, parse_micro(key), strict=True))
        nodes: list[tuple[str, ...]] = [("x",)]
        calls: dict[tuple[int, int], str] = {}
        for target in (1, 2, 3):
            terms: list[str] = []
            for source in range(target):
                operation = operations[source, target]
                if operation == SKIP and source > 0:
                    terms.extend(nodes[source])
                elif operation != NONE:
                    calls[source, target] = f"{operation}({'+'.join(nodes[source])})"
                    terms.append(calls[source, target])
            nodes.append(tuple(sorted(terms)))
        # The output alone cannot tell one layer with two readers from two equal layers.
        live = _live(operations)
        layers = sorted(call for (_, target), call in calls.items() if target in live)
        return f"{'+'.join(nodes[3])} with {', '.join(layers)}"


class TransNasMacro(TransNasSpace):
    """TransNAS-Bench-101, macro level: 3,256 sequences of four to six residual modules."""

    name = "tnb101_macro"
    spellings: ClassVar[Mapping[str, str]] = {
        "architecture string": "64-2311-basic",
        "NASLib's tuple": "(2, 3, 1, 1)",
        "NASLib's tuple, padded": "(2, 3, 1, 1, 0, 0)",
    }

    def keys(self) -> Sequence[str]:
        """Returns all 3,256 architecture strings in alphabetical order."""
        return _macro_keys()

    def canonical(self, key: str) -> str:
        """Returns the architecture string."""
        return _to_macro_key(parse_macro(key))

    def modules(self, key: str) -> str:
        """Returns the module digits."""
        return parse_macro(key)

    def cells(self, key: str) -> tuple[CellGraph, ...]:
        """Returns the chain of modules, each an operation."""
        modules = enumerate(parse_macro(key))
        chain = tuple((place, place + 1, MACRO_OPERATIONS[module]) for place, module in modules)
        return (CellGraph(chain),)

    def encoder(self, key: str) -> TransNasEncoder:
        """Builds the encoder: two residual blocks per module."""
        from harness.spaces.networks.tnb101_encoder import BasicBlock, TransNasEncoder

        return TransNasEncoder(parse_macro(key), BasicBlock)

    def count_encoder_params(self, key: str) -> int:
        """Counts the parameters of stem and residual blocks."""
        return tnb101_sizes.count_encoder(parse_macro(key), tnb101_sizes.count_basic_block)


def _live(operations: dict[tuple[int, int], str]) -> set[int]:
    """Returns the nodes from which a path leads to the cell's output."""
    live = {3}
    for source in (2, 1):
        if any(operations[source, target] != NONE for target in live if target > source):
            live.add(source)
    return live


@cache
def _micro_keys() -> tuple[str, ...]:
    return tuple(_to_micro_key("".join(digits)) for digits in product("0123", repeat=6))


@cache
def _macro_keys() -> tuple[str, ...]:
    sequences = ("".join(digits) for n in (4, 5, 6) for digits in product("1234", repeat=n))
    return tuple(sorted(_to_macro_key(s) for s in sequences if _is_in_macro_space(s)))


spaces.add(TransNasMicro.name, TransNasMicro())
spaces.add(TransNasMacro.name, TransNasMacro())

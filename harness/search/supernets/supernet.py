"""What every supernet offers: edges, candidate operations, and which of them are in force.

An edge holds several operations, whose outputs are added with the weights softmax(alpha). Zero-
Cost-PT trains nothing, so alpha keeps its initial values, 1e-3·N(0,1). Deciding an edge makes its
weights one-hot; masking an operation sets its weight to 0 and does not renormalise the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.core.layouts import zeros_beside
from harness.spaces.networks.darts_operations import Noise, Zero

ALPHA_SCALE = 1e-3

Edge = tuple[str, int]
"""Cell type and edge index."""

Decisions = Mapping[Edge, int]
"""Edge -> index of the operation that it is decided to."""

Carry = tuple[Tensor, ...]
"""What one stage of the network hands to the next."""


@dataclass(frozen=True)
class State:
    """Which operations of a supernet are in force.

    Attributes:
        decided: Edges with a single operation of weight 1.
        masked: One operation whose weight is 0: A − (e, o).
        removed: Edges with all weights 0 (DARTS: selection of the inputs of a node).
    """

    decided: Decisions = field(default_factory=dict)
    masked: tuple[Edge, int] | None = None
    removed: frozenset[Edge] = frozenset()


class Term(NamedTuple):
    """One operation on its way into a node.

    Attributes:
        operation: The module.
        source: Its input.
        weight: Its weight as a number.
        factor: The same as a tensor, through which alpha can be trained.
    """

    operation: nn.Module
    source: Tensor
    weight: float
    factor: Tensor


class Runner:
    """Runs the parts of a supernet; scoring replaces it by one that remembers what it ran."""

    def run(self, module: nn.Module, x: Tensor) -> Tensor:
        """Runs a part of the network that no decision concerns."""
        return module(x)  # type: ignore[no-any-return]

    def mix(self, terms: Sequence[Term], shape: Sequence[int]) -> Tensor:
        """Returns Σ factor · operation(source), zeros of ``shape`` if nothing is in force."""
        node: Tensor | None = None
        for term in terms:
            if in_force(term):
                output = term.factor * term.operation(term.source)
                node = output if node is None else node + output
        return zeros_beside(terms[0].source, shape) if node is None else node


def in_force(term: Term) -> bool:
    """Tells whether a term adds anything; ``none`` never does."""
    return term.weight != 0 and not isinstance(term.operation, Zero)


@dataclass(frozen=True)
class MixingWeights:
    """Weights of one cell type, edge by operation, as tensors and as numbers."""

    factors: Sequence[Tensor]
    values: Sequence[Sequence[float]]


class Stage(nn.Module, ABC):
    """One cell of a supernet, or a fixed block between cells.

    Attributes:
        kind: The cell type; empty for a block without candidate operations.
        edges: Per edge the modules of its operations; empty for such a block.
    """

    kind: str
    edges: nn.ModuleList

    def terms(self, weights: MixingWeights, edge: int, source: Tensor) -> Iterator[Term]:
        """Yields the terms that an edge adds to its node."""
        operations = cast(nn.ModuleList, self.edges[edge])
        columns = zip(operations, weights.values[edge], weights.factors[edge], strict=True)
        for operation, value, factor in columns:
            yield Term(operation, source, value, factor)

    @abstractmethod
    def forward(self, carry: Carry, weights: MixingWeights | None, runner: Runner) -> Carry:
        """Maps what the previous stage handed over to what the next one takes."""


class Supernet(nn.Module, ABC):
    """A supernet; ``state`` says which of its operations are in force.

    Attributes:
        operations: Cell type -> per edge the names of its operations.
        alphas: Cell type -> per edge the untrained architecture parameters.
        state: What ``forward`` runs; change it with ``at``.
        stages: The cells and what is between them, from first to last.
        pruned_nodes: Per node that keeps only two of its incoming edges in the end, these edges.
        executes_zeros: Whether the released code runs an operation of weight 0, on zeros.
    """

    operations: dict[str, tuple[tuple[str, ...], ...]]
    stages: nn.ModuleList
    pruned_nodes: ClassVar[tuple[tuple[int, ...], ...]] = ()
    executes_zeros: ClassVar[bool]

    def __init__(self, operations: dict[str, tuple[tuple[str, ...], ...]]) -> None:
        super().__init__()
        self.operations = operations
        # Outside of parameters and buffers, and on the CPU whatever the device: reading a weight as
        # a number then waits for no GPU.
        self.alphas = {
            kind: [torch.zeros(len(names), device="cpu") for names in edges]
            for kind, edges in operations.items()
        }
        self.state = State()

    @abstractmethod
    def start(self, x: Tensor, runner: Runner) -> Carry:
        """Runs the stem on N×3×H×W images."""

    @abstractmethod
    def finish(self, carry: Carry, runner: Runner) -> Tensor:
        """Maps what the last stage hands over to N×classes logits."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps N×3×H×W images to N×classes logits, running what ``state`` has in force."""
        runner = Runner()
        weights = {kind: self.weights(kind, self.state) for kind in self.operations}
        carry = self.start(x, runner)
        for stage in self.cells():
            carry = stage(carry, weights.get(stage.kind), runner)
        return self.finish(carry, runner)

    @contextmanager
    def at(self, state: State) -> Iterator[Supernet]:
        """Puts another state in force for the duration.

        Raises:
            HarnessError: If the state names an edge or an operation that there is not.
        """
        self.check(state)
        before, self.state = self.state, state
        try:
            yield self
        finally:
            self.state = before

    def cells(self) -> list[Stage]:
        """Returns the cells and what is between them, from first to last."""
        return cast(list[Stage], list(self.stages))

    def edges(self) -> list[Edge]:
        """Returns all edges, cell type by cell type, from input to output."""
        return [
            (kind, index) for kind, edges in self.operations.items() for index in range(len(edges))
        ]

    def names(self, edge: Edge) -> tuple[str, ...]:
        """Returns the names of an edge's operations.

        Raises:
            HarnessError: If there is no such edge.
        """
        kind, index = edge
        if kind not in self.operations or not 0 <= index < len(self.operations[kind]):
            raise HarnessError(f"This supernet has no edge {edge}; edges are {self.edges()}.")
        return self.operations[kind][index]

    def check(self, state: State) -> None:
        """Raises a HarnessError if ``state`` names an edge or operation that there is not."""
        chosen = [*state.decided.items(), *([state.masked] if state.masked else [])]
        for edge, operation in chosen:
            if not 0 <= operation < len(self.names(edge)):
                raise HarnessError(
                    f"Edge {edge} has {len(self.names(edge))} operations; there is no number "
                    f"{operation}."
                )
        for edge in state.removed:
            self.names(edge)

    def weights(self, kind: str, state: State) -> MixingWeights:
        """Returns the weights of one cell type in a state."""
        factors = [self._row((kind, e), alpha, state) for e, alpha in enumerate(self.alphas[kind])]
        return MixingWeights(factors, [row.tolist() for row in factors])

    def _row(self, edge: Edge, alpha: Tensor, state: State) -> Tensor:
        if edge in state.removed:
            return torch.zeros_like(alpha)
        row = torch.softmax(alpha, dim=0)
        if edge in state.decided:
            row = torch.zeros_like(alpha)
            row[state.decided[edge]] = 1
        if state.masked is not None and state.masked[0] == edge:
            kept = torch.ones_like(row)
            kept[state.masked[1]] = 0
            row = row * kept
        return row

    def draw_alphas(self, *stream: object) -> None:
        """Draws untrained alphas, 1e-3·N(0,1), from the stream that ``stream`` names."""
        with seeds.torch_stream("alphas", *stream):
            self.alphas = {
                kind: [ALPHA_SCALE * torch.randn(len(names), device="cpu") for names in edges]
                for kind, edges in self.operations.items()
            }


class PlacedNoise(Noise):
    """The operation ``noise`` of an untrained network.

    Its own generator makes the noise a function of the operation's place and of ``stream``: all
    candidates of a step see the same noise, and no other draw moves it.
    """

    def __init__(self, stride: int, place: tuple[object, ...]) -> None:
        super().__init__(stride)
        self.place = place
        self.stream: tuple[object, ...] = ()

    def draw(self, shape: torch.Size, x: Tensor) -> Tensor:
        """Draws on the CPU, whatever the device."""
        generator = torch.Generator().manual_seed(seeds.stream("noise", *self.place, *self.stream))
        return torch.randn(shape, generator=generator).to(x)


def fix_noise(network: nn.Module, *stream: object) -> None:
    """Fixes the output of every ``noise`` operation to the stream that ``stream`` names."""
    for module in network.modules():
        if isinstance(module, PlacedNoise):
            module.stream = stream


def relu_conv_bn(c_in: int, c_out: int, kernel: int) -> nn.Sequential:
    """Returns ReLU, convolution without bias, batch norm without weights."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(c_out, affine=False),
    )

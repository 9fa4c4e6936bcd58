"""What the ReLUs of a network's cells receive, forward and backward, for WRCor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from harness.passes.features import boundaries
from harness.passes.functional_layers import RELUS, watching_functions
from harness.passes.observation import Observation
from harness.passes.patterns import flat, is_nwot_relu
from harness.passes.row_correlation import correlation_of_rows
from harness.passes.weighted_layers import watching


@dataclass(frozen=True)
class CellResponses(Observation):
    """Correlations between images, N×N float64, per ReLU of a cell; NaN where one is undefined.

    Attributes:
        cells: In which cell each ReLU lies, from 0; behind the last one counts as one more.
        inputs: Between what enters it for two images.
        gradients: Between the loss's gradients by that, through this ReLU alone.
    """

    cells: tuple[int, ...]
    inputs: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]


@dataclass
class ReluCalls:
    """What the hooks collect: of every ReLU from the first cell on, its cell, input and output."""

    calls: list[tuple[int, nn.Module, Tensor, Tensor]] = field(default_factory=list)

    @property
    def outputs(self) -> list[Tensor]:
        """What the ReLUs return, by which the loss is to be differentiated, where it can be."""
        return [output for *_, output in self.calls if output.requires_grad]

    def observed(self, gradients: tuple[Tensor, ...]) -> CellResponses:
        """Takes the loss's gradients by the outputs; 0 behind what no weight reaches."""
        found = iter(gradients)
        carried = [
            _through(relu, x, next(found) if y.requires_grad else torch.zeros_like(y))
            for _, relu, x, y in self.calls
        ]
        return CellResponses(
            tuple(cell for cell, *_ in self.calls),
            tuple(_between_images(x) for *_, x, _ in self.calls),
            tuple(map(_between_images, carried)),
        )


@contextmanager
def watching_cells(network: nn.Module) -> Iterator[ReluCalls]:
    """Collects the calls of ReLU-like layers from the first cell on.

    Raises:
        UndefinedScoreError: If the network has no cells.
    """
    found = ReluCalls()
    cells = boundaries(network)[1:]
    relus = [module for module in network.modules() if is_nwot_relu(module)]
    place = [-1]

    def enter(module: nn.Module, _: object) -> None:
        place[0] = cells.index(module)

    def leave(*_: object) -> None:
        place[0] += 1  # what runs before the next cell starts lies behind this one

    def see(relu: nn.Module, x: Tensor, output: Tensor) -> None:
        if place[0] >= 0:
            found.calls.append((place[0], relu, x, output))

    def see_module(relu: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        see(relu, inputs[0], output)

    with ExitStack() as hooks:
        for cell in cells:
            hooks.callback(cell.register_forward_pre_hook(enter).remove)
            hooks.callback(cell.register_forward_hook(leave).remove)
        hooks.enter_context(watching(relus, see_module))
        hooks.enter_context(watching_functions(network, RELUS, relus, see))
        yield found


def _through(relu: nn.Module, x: Tensor, gradient: Tensor) -> Tensor:
    """Carries a gradient from a ReLU's output to its input."""
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        carried: Tensor = torch.autograd.grad(relu(x), x, gradient)[0]
    return carried


def _between_images(responses: Tensor) -> Tensor:
    return correlation_of_rows(flat(responses.detach()).double())

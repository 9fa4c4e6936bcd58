"""NASWOT's kernel of a network in evaluation mode, and of a supernet in many states.

K_ij is the number of ReLU units whose bits agree for images i and j. Running statistics of batch
norm make the images independent of each other and leave their initial values where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from harness.core.layouts import zeros_beside
from harness.passes.patterns import agreement, flat, positive
from harness.scoring.arithmetic import exact_arithmetic
from harness.search.supernets.supernet import Runner, Term, in_force


def log_determinant(kernel: Tensor) -> float:
    """Returns ln |det K| in float64; NaN where K is singular."""
    _, value = np.linalg.slogdet(kernel.cpu().numpy())
    return float(value) if np.isfinite(value) else float("nan")


def composite_relus(network: nn.Module) -> set[nn.Module]:
    """Returns the ReLUs of the ReLU–convolution–norm blocks.

    The released code hooks every module whose type name contains "ReLU", and its blocks are called
    ReLUConvBN: these activations count twice in its K.
    """
    blocks = [block for block in network.modules() if isinstance(block, nn.Sequential)]
    kinds = (nn.ReLU, nn.Conv2d, nn.BatchNorm2d)
    return {block[0] for block in blocks if len(block) == 3 and all(map(isinstance, block, kinds))}


class Kernel:
    """K of what ran so far; each distinct tensor is compared once, however many ReLUs read it.

    Args:
        network: Its ``nn.ReLU`` modules are counted, each call once, while ``watching``.
        images: N.
        doubled: ReLUs whose calls count twice.
        device: Where the network is.
    """

    def __init__(
        self, network: nn.Module, images: int, doubled: set[nn.Module], device: torch.device
    ) -> None:
        self.total = torch.zeros(images, images, dtype=torch.float64, device=device)
        self._network = network
        self._doubled = doubled
        # The tensors are kept too, so that their addresses stay theirs.
        self._compared: dict[int, tuple[Tensor, Tensor]] = {}
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def add(self, x: Tensor, times: int = 1) -> None:
        """Counts the units of a ReLU that reads ``x``."""
        if id(x) not in self._compared:
            self._compared[id(x)] = (x, agreement(positive(flat(x))))
        self.total = self.total + times * self._compared[id(x)][1]

    def forget(self) -> None:
        """Lets go of the tensors seen so far, where none of them is read again."""
        self._compared = dict(self._kept)

    def keep(self) -> None:
        """Keeps the tensors seen so far for good."""
        self._kept = dict(self._compared)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Counts every call of a ReLU of the network for the duration."""

        def see(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self.add(inputs[0], 2 if module in self._doubled else 1)

        with ExitStack() as hooks:
            for module in self._network.modules():
                if isinstance(module, nn.ReLU):
                    hooks.callback(module.register_forward_pre_hook(see).remove)
            yield


@dataclass(frozen=True)
class Remembered:
    """What a module made of an input, which is kept so that its address stays its own."""

    source: Tensor
    output: Tensor
    added: Tensor


class KernelRunner(Runner):
    """Runs a supernet while counting K; an operation runs once per input that it remembers.

    Args:
        kernel: Counts.
        zeros: Count operations of weight 0 as the released code runs them on NAS-Bench-201: their
            block sees the input, and their ReLU zeros, which agree in all images.
    """

    def __init__(self, kernel: Kernel, *, zeros: bool) -> None:
        self.kernel = kernel
        self._recording = False
        self._zeros = zeros
        self._outputs: dict[tuple[int, int], Remembered] = {}
        self._nodes: dict[tuple[tuple[int, int, float], ...], Tensor] = {}

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Remembers for good whatever runs for the duration."""
        self._recording = True
        yield
        self._recording = False
        self.kernel.keep()

    def run(self, module: nn.Module, x: Tensor) -> Tensor:
        """Runs a part of the network, or recalls what it made of ``x`` and added to K."""
        key = (id(module), id(x))
        if key in self._outputs:
            known = self._outputs[key]
            self.kernel.total = self.kernel.total + known.added
            return known.output
        before = self.kernel.total
        output = super().run(module, x)
        if self._recording:
            self._outputs[key] = Remembered(x, output, self.kernel.total - before)
        return output

    def mix(self, terms: Sequence[Term], shape: Sequence[int]) -> Tensor:
        """Returns the weighted sum of the operations in force; see ``Runner.mix``."""
        outputs = []
        for term in terms:
            if in_force(term):
                outputs.append((term.weight, self.run(term.operation, term.source)))
            elif self._zeros:
                self._count_zeros(term)
        key = tuple((id(term.operation), id(term.source), term.weight) for term in terms)
        if key in self._nodes:
            return self._nodes[key]
        node = _weighted_sum(outputs, terms[0].source, shape)
        if self._recording:
            self._nodes[key] = node
        return node

    def _count_zeros(self, term: Term) -> None:
        for module in term.operation.modules():
            if isinstance(module, nn.ReLU):
                self.kernel.add(term.source)
                self.kernel.total = self.kernel.total + term.source[0].numel()


def _weighted_sum(
    outputs: Sequence[tuple[float, Tensor]], source: Tensor, shape: Sequence[int]
) -> Tensor:
    if not outputs:
        return zeros_beside(source, shape)
    (weight, first), *others = outputs
    if weight == 1 and not others:
        return first
    node = first * weight
    for weight, output in others:
        node.add_(output, alpha=weight)
    return node


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Puts a network in evaluation mode without gradients, and back."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.no_grad(), exact_arithmetic():
            yield
    finally:
        for module, training in modes:
            module.training = training


def network_kernel(network: nn.Module, images: Tensor, counting: str) -> Tensor:
    """Returns K of a stand-alone network in evaluation mode.

    Args:
        network: With ``nn.ReLU`` activations.
        images: N×3×H×W.
        counting: ``clean``: each ReLU once. ``faithful``: those of a ReLU–convolution–norm block
            twice.

    Returns:
        N×N float64 integers.
    """
    doubled = composite_relus(network) if counting == "faithful" else set()
    kernel = Kernel(network, len(images), doubled, images.device)
    with evaluating(network), kernel.watching():
        network(images)
    return kernel.total

"""Tiny networks for tests, each with one trait that tempts a fast implementation into a mistake.

``ZOO`` maps a name to (factory, shape of one input, number of classes). Every factory draws its
weights from a fixed seed, and a forward pass takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from harness.spaces import nb201
from harness.spaces.space import spaces

Entry = tuple[Callable[[], nn.Module], tuple[int, ...], int]


class SharedModules(nn.Module):
    """One convolution, one batch norm and one ReLU, each used twice in a forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.conv = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for _ in range(2):
            x = self.relu(self.bn(self.conv(x)))
        return self.classifier(self.pool(x).flatten(1))


class InplaceResidual(nn.Module):
    """In-place ReLUs and an in-place sum directly on convolution outputs, without batch norm."""

    def __init__(self, inplace: bool = True) -> None:
        super().__init__()
        self.inplace = inplace
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.conv3 = nn.Conv2d(6, 6, 3, stride=2, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=inplace)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        y = self.conv2(x)
        if self.inplace:
            y += x
        else:
            y = y + x
        x = self.relu(self.conv3(self.relu(y)))
        return self.classifier(self.pool(x).flatten(1))


class OverwrittenActivation(nn.Module):
    """Adds in place to the output of a ReLU; legal only where no gradient is recorded."""

    def __init__(self, inplace: bool = True) -> None:
        super().__init__()
        self.inplace = inplace
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(4 * 64, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv1(x))
        y = self.conv2(x)
        if self.inplace:
            x += y
        else:
            x = x + y
        return self.classifier(self.relu(x).flatten(1))


class DeadBranch(nn.Module):
    """A branch that runs but whose output nobody uses, and a module that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.branch = nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.unused = nn.Sequential(nn.Conv2d(4, 16, 5), nn.ReLU(), nn.Linear(16, 16))
        self.head = nn.Conv2d(4, 4, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        self.branch(x)
        return self.classifier(self.pool(self.head(x)).flatten(1))


def shortened(network: nn.Module) -> nn.Module:
    """Leaves four of a NAS-Bench-201 network's 17 cells: one at each end, both reductions."""
    network.cells = nn.Sequential(*(network.cells[i] for i in (0, 5, 11, 16)))
    return network


def nb201_mixed() -> nn.Module:
    """A NAS-Bench-201 network whose cell has every operation, and a cut-off node."""
    key = nb201.to_key(
        ("nor_conv_3x3", "avg_pool_3x3", "nor_conv_1x1", "skip_connect", "none", "nor_conv_3x3")
    )
    return shortened(spaces.get("nb201").build(key, "digits", seed=0))


def nb201_dead() -> nn.Module:
    """A NAS-Bench-201 network with no path through its cells, although they hold convolutions."""
    key = nb201.to_key(("nor_conv_3x3", "none", "none", "none", "none", "nor_conv_1x1"))
    return shortened(spaces.get("nb201").build(key, "digits", seed=0))


def mlp() -> nn.Module:
    """Fully connected layers only: all ReLUs are two-dimensional."""
    return _seeded(
        lambda: nn.Sequential(
            nn.Flatten(),
            nn.Linear(48, 20),
            nn.ReLU(),
            nn.Linear(20, 12, bias=False),
            nn.ReLU(),
            nn.Linear(12, 5),
        )
    )


def plain_cnn() -> nn.Module:
    """Convolutions with batch norm, whose affine parameters are not one and zero."""
    return _seeded(
        lambda: _shaken(
            nn.Sequential(
                nn.Conv2d(3, 6, 3, padding=1, bias=False),
                nn.BatchNorm2d(6),
                nn.ReLU(),
                nn.MaxPool2d(2),
                nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                nn.Linear(8, 5),
            )
        )
    )


def many_classes() -> nn.Module:
    """More than 100 classes, where EPE-NAS takes its other branch."""
    return _seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 120),
        )
    )


def inplace_residual() -> nn.Module:
    """In-place operations directly on convolution outputs; see the class."""
    return _seeded(InplaceResidual)


def overwritten_relu() -> nn.Module:
    """An in-place sum on a ReLU's output; see the class."""
    return _seeded(OverwrittenActivation)


def shared_modules() -> nn.Module:
    """Modules that are called twice in one forward pass; see the class."""
    return _seeded(SharedModules)


def grouped() -> nn.Module:
    """A depthwise and a grouped convolution, both with biases."""
    return _seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, groups=8),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 12, 1, groups=4),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(12, 5),
        )
    )


def dead_branch() -> nn.Module:
    """Parameters without a gradient and modules that never run; see the class."""
    return _seeded(DeadBranch)


def leaky_head() -> nn.Module:
    """A LeakyReLU and a ReLU6 beside an ordinary ReLU: rectifiers that are no ``nn.ReLU``."""
    return _seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 6, 1),
            nn.BatchNorm2d(6),
            nn.ReLU6(),
            nn.Conv2d(6, 8, 3),
            nn.LeakyReLU(0.2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 5),
        )
    )


ZOO: dict[str, Entry] = {
    "nb201_mixed": (nb201_mixed, (3, 16, 16), 10),
    "nb201_dead": (nb201_dead, (3, 16, 16), 10),
    "mlp": (mlp, (3, 4, 4), 5),
    "plain_cnn": (plain_cnn, (3, 8, 8), 5),
    "many_classes": (many_classes, (3, 8, 8), 120),
    "inplace_residual": (inplace_residual, (3, 8, 8), 5),
    "shared_modules": (shared_modules, (3, 8, 8), 5),
    "grouped": (grouped, (3, 8, 8), 5),
    "dead_branch": (dead_branch, (3, 8, 8), 5),
    "leaky_head": (leaky_head, (3, 10, 10), 5),
}

# Networks that cannot be differentiated: for proxies that only look at a forward pass.
FORWARD_ONLY: dict[str, Entry] = {"overwritten_relu": (overwritten_relu, (3, 8, 8), 5)}


def batch(name: str, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Returns ``n`` Gaussian images and labels for a network of the zoo.

    At most n/2 different labels occur, so that classes have several images even where the network
    has more classes than there are images; some class usually has just one.

    Args:
        name: A key of ``ZOO`` or ``FORWARD_ONLY``.
        n: How many images.
        seed: Which batch.
    """
    _, shape, classes = {**ZOO, **FORWARD_ONLY}[name]
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, *shape, generator=generator)
    present = torch.randperm(classes, generator=generator)[: max(2, n // 2)]
    return images, present[torch.randint(len(present), (n,), generator=generator)]


def _seeded(factory: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2022)
        return factory()


def _shaken(network: nn.Module) -> nn.Module:
    """Moves batch norm away from its initial one and zero, as if the network were trained."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network

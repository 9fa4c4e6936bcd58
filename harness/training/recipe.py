"""A plain supervised training run, small enough to make ground truth on one's own data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness import seeds
from harness.errors import HarnessError


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum, cosine learning rate, no augmentation.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images per step; an incomplete last batch is left out.
        learning_rate: At the start; it falls to zero along a cosine over all steps.
        momentum: Nesterov momentum.
        weight_decay: L2 penalty on all parameters.
    """

    epochs: int = 4
    batch_size: int = 40
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        """Refuses a training that would train nothing.

        Raises:
            HarnessError: With what is allowed.
        """
        if self.epochs < 1 or self.batch_size < 2:
            raise HarnessError(
                f"training.epochs={self.epochs} must be at least 1 and "
                f"training.batch_size={self.batch_size} at least 2."
            )


@dataclass(frozen=True)
class LabelledImages:
    """Normalised images (N×C×H×W float32) and class indices (N int64)."""

    images: Tensor
    labels: Tensor

    def to(self, device: str) -> LabelledImages:
        """Returns the same images on another device."""
        return LabelledImages(self.images.to(device), self.labels.to(device))


def train(network: nn.Module, data: LabelledImages, recipe: Recipe, seed: int) -> None:
    """Trains ``network`` in place; ``seed`` fixes the order of the images.

    Args:
        network: Maps images to logits; ends in train mode.
        data: Training images, on the network's device.
        recipe: How to train.
        seed: Training seed.
    """
    steps_per_epoch = len(data.images) // recipe.batch_size
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, T_max=recipe.epochs * steps_per_epoch
    )
    order = torch.Generator().manual_seed(seeds.stream("training order", seed))
    network.train()
    for _ in range(recipe.epochs):
        shuffled = torch.randperm(len(data.images), generator=order)
        for chosen in torch.split(shuffled, recipe.batch_size)[:steps_per_epoch]:
            loss = functional.cross_entropy(network(data.images[chosen]), data.labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()


@torch.no_grad()
def accuracy(network: nn.Module, data: LabelledImages) -> float:
    """Returns the accuracy in percent, in evaluation mode (running statistics)."""
    network.eval()
    return 100.0 * float((network(data.images).argmax(1) == data.labels).float().mean())

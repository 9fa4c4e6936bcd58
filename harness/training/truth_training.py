"""A plain supervised training run, small enough to make ground truth on one's own data."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.training.divergence import refuse_divergence
from harness.training.labelled_images import LabelledImages
from harness.training.truth_recipe import TruthRecipe

TESTED_AT_ONCE = 2048  # images: more would need more memory than the training


def train(network: nn.Module, data: LabelledImages, recipe: TruthRecipe, seed: int) -> None:
    """Trains ``network`` in place; ``seed`` fixes the order of the images.

    Args:
        network: Maps images to logits; ends in train mode.
        data: Training images, on the network's device.
        recipe: How to train.
        seed: Training seed.

    Raises:
        HarnessError: If there are fewer images than a batch has, or the training diverges.
    """
    steps_per_epoch = len(data.images) // recipe.batch_size
    if steps_per_epoch == 0:
        raise HarnessError(
            f"A batch of {recipe.batch_size} images is more than the {len(data.images)} to train "
            "on; nothing would be trained."
        )
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
    for epoch in range(1, recipe.epochs + 1):
        shuffled = torch.randperm(len(data.images), generator=order)
        for chosen in torch.split(shuffled, recipe.batch_size)[:steps_per_epoch]:
            loss = functional.cross_entropy(network(data.images[chosen]), data.labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        refuse_divergence(float(loss.detach()), epoch)


@torch.no_grad()
def accuracy(network: nn.Module, data: LabelledImages) -> float:
    """Returns the accuracy in percent, in evaluation mode (running statistics)."""
    network.eval()
    predicted = [network(x).argmax(1) for x in torch.split(data.images, TESTED_AT_ONCE)]
    return 100.0 * float((torch.cat(predicted) == data.labels).float().mean())

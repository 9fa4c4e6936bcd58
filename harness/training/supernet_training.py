"""Trains a supernet: weights and architecture parameters in turn, on one half of the images each.

First-order DARTS (Liu, Simonyan & Yang, ICLR 2019), with the settings of DARTS-PT (Wang et al.,
"Rethinking Architecture Selection in Differentiable NAS", ICLR 2021) for NAS-Bench-201. The network
itself knows which operations are in force; training takes it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.inputs.batch import chosen_images
from harness.inputs.image_sets import read_image_set
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import Task
from harness.training.divergence import refuse_divergence
from harness.training.labelled_images import ImagesOnDevice, labelled_set, pixels_of
from harness.training.supernet_recipe import SupernetRecipe

ALPHA_BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class Halves:
    """What the weights and what α learn from; accuracies are measured on the latter.

    Attributes:
        training: What the weights learn from.
        validation: What α learns from.
        augment: Whether a training crops and flips both, anew in every epoch.
    """

    training: ImagesOnDevice
    validation: ImagesOnDevice
    augment: bool = False


def halves_of(
    task: Task, inputs: InputSettings, recipe: SupernetRecipe, seed: int, device: str
) -> Halves:
    """Returns both halves of the training images, drawn as a batch and its second one are.

    Raises:
        HarnessError: If the images have no labels that the task means.
        DataError: If the image set is missing or broken.
    """
    image_set = labelled_set(task, inputs, ("source", "download", "augment", "order"))
    content = read_image_set(image_set.name, download=inputs.download)
    available = len(content.images)
    half = min(recipe.images or available, available) // 2
    chosen = chosen_images(content, image_set.name, inputs, seed, half)
    rgb = task.rgb or (image_set.mean, image_set.std)
    training, validation = (
        pixels_of(content, part, rgb).on(device) for part in (chosen[:half], chosen[half:])
    )
    return Halves(training, validation, inputs.augment)


def train_supernet(
    network: nn.Module,
    alphas: Sequence[Tensor],
    data: Halves,
    recipe: SupernetRecipe,
    seed: int,
    *,
    tune: bool = False,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> list[float]:
    """Trains ``network`` and ``alphas`` in place.

    Each step first moves α along the gradient of a validation batch's loss (first order: the
    weights are taken as they are), then the weights along that of a training batch.

    Args:
        network: Maps images to logits and mixes its operations by ``alphas``.
        alphas: Leaf tensors; an empty sequence leaves α as it is (DARTS-PT's "fix α"). Those that
            the network does not use, because their edge is decided, do not move.
        data: Both halves, on the network's device.
        recipe: How to train.
        seed: Fixes the order of the images and their augmentation.
        tune: Train for ``tune_epochs`` from ``tune_learning_rate`` instead of the full course.
        after_epoch: Is told the number of every epoch that is over, from 1 on.

    Returns:
        Mean training loss of every epoch, in nats.

    Raises:
        HarnessError: If a half holds less than one batch, or the training diverges.
    """
    smaller = min(len(data.training), len(data.validation))
    if smaller < recipe.batch_size:
        raise HarnessError(
            f"Half of the images is {smaller}, less than one batch of "
            f"train_supernet.batch_size={recipe.batch_size}; take more images or smaller batches."
        )
    epochs = recipe.tune_epochs if tune else recipe.epochs
    start = recipe.tune_learning_rate if tune else recipe.learning_rate
    weights = torch.optim.SGD(
        network.parameters(),
        lr=start,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    architecture = _alpha_optimiser(alphas, recipe)
    network.train()
    losses = []
    for epoch in range(epochs):
        for group in weights.param_groups:
            group["lr"] = _cosine(start, recipe.final_learning_rate, epoch / epochs)
        halves = (
            half.augmented(
                seeds.numpy_stream("supernet images", seed, tune, epoch, name),
                recipe.batch_size,
                crop=data.augment,
                hole=0,
            )
            for name, half in (("training", data.training), ("validation", data.validation))
        )
        steps = []
        for (images, labels), held_out in zip(*halves, strict=False):
            if architecture is not None:
                _alpha_step(network, alphas, architecture, *held_out)
            steps.append(_weight_step(network, weights, images, labels, recipe.clip))
        losses.append(float(torch.stack(steps).mean()))
        refuse_divergence(losses[-1], epoch + 1)
        after_epoch(epoch + 1)
    return losses


@torch.no_grad()
def batch_accuracy(network: nn.Module, data: ImagesOnDevice, batch_size: int) -> float:
    """Returns the accuracy in percent, with batch norm by the statistics of each batch.

    DARTS-PT measures so: running statistics belong to the supernet as it was trained, not to one
    from which an operation was taken. The network is left as it was.

    Args:
        network: Maps images to logits.
        data: All of it is looked at, the last batch may be smaller.
        batch_size: Images per batch.
    """
    hits = 0
    with _batch_statistics(network):
        for images, labels in data.plain(batch_size):
            hits += int((network(images).argmax(1) == labels).sum())
    return 100 * hits / len(data)


@contextmanager
def _batch_statistics(network: nn.Module) -> Iterator[None]:
    """Runs batch norm on each batch's statistics without a trace in the running ones."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    before, training = [norm.momentum for norm in norms], network.training
    network.train()
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
        network.train(training)


def _alpha_optimiser(
    alphas: Sequence[Tensor], recipe: SupernetRecipe
) -> torch.optim.Optimizer | None:
    for alpha in alphas:
        alpha.requires_grad_(True)
    if not alphas:
        return None
    return torch.optim.Adam(
        list(alphas),
        lr=recipe.alpha_learning_rate,
        betas=ALPHA_BETAS,
        weight_decay=recipe.alpha_weight_decay,
    )


def _alpha_step(
    network: nn.Module,
    alphas: Sequence[Tensor],
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
) -> None:
    loss = functional.cross_entropy(network(images), labels)
    gradients = torch.autograd.grad(loss, list(alphas), allow_unused=True)
    for alpha, gradient in zip(alphas, gradients, strict=True):
        alpha.grad = gradient
    optimiser.step()


def _weight_step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    clip: float,
) -> Tensor:
    loss = functional.cross_entropy(network(images), labels)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimiser.step()
    return loss.detach()


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

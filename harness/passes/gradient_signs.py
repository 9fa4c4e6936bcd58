"""The GradSign pass: in which direction each single image pulls each weight."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from harness.core.errors import UndefinedScoreError
from harness.core.types import Batch
from harness.passes.fast_gradients import fast_gradients
from harness.passes.losses import task_loss
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import (
    NO_WEIGHTS,
    weighted_layers,
    weights_of,
    with_batch_statistics,
)

CHUNK = 16  # images at once


@dataclass(frozen=True)
class GradientSigns(Observation):
    """Sum over single images of the sign of ∂L/∂w, one float64 tensor per weighted layer."""

    sums: tuple[Tensor, ...]


@observes(GradientSigns, version=2)
def gradient_signs(run: Run) -> Observations:
    """Takes each image alone, forward and backward; train-mode batch norm sees one image.

    In double precision, in whatever precision the network is: gradients that are zero have the sign
    of their rounding, up to a fifth of all in single precision.

    On a CPU one image after the other is the fastest. On a GPU launching their small kernels takes
    longer than the kernels do, so that several images run at once; where the network allows it.
    """
    assert run.batch.labels is not None
    if not weighted_layers(run.network):
        raise UndefinedScoreError(NO_WEIGHTS)
    run = _in_double_precision(run)
    with run.undisturbed("gradsign"), fast_gradients(run):
        if run.batch.images.device.type == "cpu":
            sums = signs_one_by_one(run.network, run.batch)
        else:
            try:
                sums = signs_at_once(run.network, run.batch)
            except RuntimeError:  # what a network of the user's own does may not be vectorised
                sums = signs_one_by_one(run.network, run.batch)
    return {GradientSigns: GradientSigns(tuple(sums))}


def _in_double_precision(run: Run) -> Run:
    """Returns the run on a copy of the network; floating-point labels are targets and follow."""
    images, labels = run.batch.images.double(), run.batch.labels
    if labels is not None and labels.is_floating_point():
        labels = labels.double()
    batch = Batch(images, labels, run.batch.loss)
    return replace(run, network=copy.deepcopy(run.network).double(), batch=batch)


def signs_one_by_one(network: nn.Module, batch: Batch) -> list[Tensor]:
    """Returns the sums of signs of every weight, image after image."""
    assert batch.labels is not None
    weights = weights_of(network)
    sums = [torch.zeros_like(weight) for weight in weights]
    for i in range(len(batch)):
        one = Batch(batch.images[i : i + 1], batch.labels[i : i + 1], batch.loss)
        gradients = torch.autograd.grad(
            task_loss(network(one.images), one), weights, allow_unused=True, materialize_grads=True
        )
        for total, gradient in zip(sums, gradients, strict=True):
            total.add_(gradient.sign())
    return [total.detach() for total in sums]


def signs_at_once(network: nn.Module, batch: Batch) -> list[Tensor]:
    """Returns the same of gradients that are vectorised over the images."""
    assert batch.labels is not None
    ids = {id(weight) for weight in weights_of(network)}
    weights = {n: p.detach() for n, p in network.named_parameters() if id(p) in ids}
    others = {n: p.detach() for n, p in network.named_parameters() if id(p) not in ids}

    def loss(values: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        one = Batch(image[None], label[None], batch.loss)
        return task_loss(functional_call(network, values | others, (one.images,)), one)

    # An image's gradients take as much memory as the weights.
    several = vmap(grad(loss), in_dims=(None, 0, 0), randomness="different", chunk_size=CHUNK)
    with with_batch_statistics(network):
        gradients: dict[str, Tensor] = several(weights, batch.images, batch.labels)
    return [gradients[name].sign().sum(dim=0) for name in weights]

"""The GradSign pass: in which direction each single image pulls each weight."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from harness.core.types import Batch
from harness.passes.fast_gradients import fast_gradients
from harness.passes.losses import task_loss
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.weighted_layers import weights_of


@dataclass(frozen=True)
class GradientSigns(Observation):
    """Sum over single images of the sign of ∂L/∂w, one tensor per weighted layer."""

    sums: tuple[Tensor, ...]


@observes(GradientSigns)
def gradient_signs(run: Run) -> Observations:
    """Runs each image alone, forward and backward; train-mode batch norm sees one image."""
    batch = run.batch
    assert batch.labels is not None
    with run.undisturbed("gradsign"), fast_gradients(run):
        weights = weights_of(run.network)
        sums = [torch.zeros_like(weight) for weight in weights]
        for i in range(len(batch)):
            one = Batch(batch.images[i : i + 1], batch.labels[i : i + 1], batch.loss)
            gradients = torch.autograd.grad(
                task_loss(run.network(one.images), one),
                weights,
                allow_unused=True,
                materialize_grads=True,
            )
            for total, gradient in zip(sums, gradients, strict=True):
                total.add_(gradient.sign())
    return {GradientSigns: GradientSigns(tuple(s.detach() for s in sums))}

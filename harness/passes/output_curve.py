"""The curvature pass: how a network's outputs bend as its input moves on a circle."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.passes.fast_gradients import fast_gradients
from harness.passes.further_settings import CurveSettings
from harness.passes.observation import Observation, Observations, observes
from harness.passes.run import Run
from harness.passes.transfer import copied


@dataclass(frozen=True)
class OutputCurve(Observation):
    """First and second derivative, along the circle, of some outputs for one image; float64."""

    velocity: Tensor
    acceleration: Tensor


@observes(OutputCurve, images=False)
def output_curve(run: Run, settings: CurveSettings) -> Observations:
    """Moves an input cos θ·u + sin θ·v, with random orthonormal u and v, at θ = 0, in train mode.

    Each output is differentiated backwards twice: forward mode within forward mode would be one
    pass, but torch takes the statistics of a norm for constants there, and is wrong.
    """
    images = run.batch.images
    # The fused kernels of attention have no second derivative.
    with run.undisturbed("curve"), fast_gradients(run), sdpa_kernel(SDPBackend.MATH):
        u, v = _orthonormal(images)
        angle = images.new_zeros((), requires_grad=True)
        outputs = run.network(angle.cos() * u + angle.sin() * v).flatten()
        chosen = torch.randint(len(outputs), (settings.outputs,), device="cpu").tolist()
        derivatives = [_derivatives(outputs[index], angle) for index in chosen]
    velocity, acceleration = (torch.stack(one).double() for one in zip(*derivatives, strict=True))
    return {OutputCurve: OutputCurve(velocity, acceleration)}


def _orthonormal(images: Tensor) -> list[Tensor]:
    """Draws two orthonormal images, in the order of their axes, on the CPU."""
    one = images[:1]
    drawn = torch.randn(one.numel(), 2, dtype=one.dtype, device="cpu")
    pair = torch.linalg.qr(drawn).Q.T.contiguous().view(2, *one.shape)
    return copied(list(pair), images.device)


def _derivatives(output: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    (first,) = torch.autograd.grad(
        output, angle, create_graph=True, allow_unused=True, materialize_grads=True
    )
    if not first.requires_grad:  # the output does not depend on the input
        return first.detach(), torch.zeros_like(first)
    (second,) = torch.autograd.grad(
        first, angle, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return first.detach(), second

"""Dextr."""

import math

import torch

from harness.core.errors import UndefinedScoreError
from harness.passes.features import ModuleOutputs
from harness.passes.output_curve import OutputCurve
from harness.passes.transfer import on_host
from harness.proxies.contract import proxy


@proxy()
def dextr(outputs: ModuleOutputs, curve: OutputCurve) -> float:
    """a·b / (a + b) of a = log(1 + Σ σ_min / σ_max) and b = log(1 + κ).

    σ are the singular values of each module's feature map, channels by positions, of MeCo's single
    image; κ is the curvature |v|⁻³ √(|v|²|a|² − (v·a)²) of ten outputs as the input moves on a
    circle, with v their first and a their second derivative. Where κ is undefined the score is a.
    Definition read in the authors' code.

    Source: Asthana et al. 2025, "Dextr: Zero-Shot Neural Architecture Search with Singular Value
    Decomposition and Extrinsic Curvature".
    """
    spread = math.log1p(sum(_ratio(singular) for singular in map(_values, on_host(outputs.maps))))
    curvature = _curvature(*on_host([curve.velocity, curve.acceleration]))
    if not math.isfinite(curvature):
        return spread
    bend = math.log1p(curvature)
    if not spread + bend > 0:
        raise UndefinedScoreError("no feature map has full rank, and the outputs do not bend")
    return spread * bend / (spread + bend)


def _values(feature: torch.Tensor) -> torch.Tensor:
    known = bool(feature.isfinite().all())
    return torch.linalg.svdvals(feature) if known else feature.new_zeros(1)


def _ratio(singular: torch.Tensor) -> float:
    """Returns σ_min / σ_max, 0 of a constant map."""
    return float(singular[-1] / singular[0]) if float(singular[0]) > 0 else 0.0


def _curvature(velocity: torch.Tensor, acceleration: torch.Tensor) -> float:
    vv, aa = velocity.square().sum(), acceleration.square().sum()
    va = (velocity * acceleration).sum()
    return float(vv**-1.5 * (vv * aa - va**2).clamp(min=0).sqrt())

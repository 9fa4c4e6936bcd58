"""L-SWAG."""

import math
from statistics import fmean

from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.further_settings import LSwagSettings
from harness.passes.minibatch import LossGradients, SecondGradients
from harness.passes.sample_patterns import SampleWisePatterns
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy


@proxy(labels=True)
def l_swag(
    first: LossGradients,
    second: SecondGradients,
    patterns: SampleWisePatterns,
    settings: LSwagSettings,
) -> float:
    """Ψ · Σ_l log Σ_i 1 / std_b(|g_i|): zico without the mean, times the SWAP-Score.

    g_i is the gradient of weight i on minibatch b, of two; weights with equal gradients are left
    out. ``l_swag.first`` and ``l_swag.last`` narrow the layers, which the paper calibrates per
    benchmark; the patterns are those of all ReLUs whatever the range. Definition read in the paper.

    Source: Casarin et al. 2025, "L-SWAG: Layer-Sample Wise Activation with Gradients Information
    for Zero-Shot NAS on Vision Transformers".
    """
    totals = numbers(list(map(_inverse_deviations, first.gradients, second.gradients)))
    start, end = (round(share * len(totals)) for share in (settings.first, settings.last))
    logs = [math.log(total) for total in totals[start:end] if total > 0]
    if not logs:
        raise UndefinedScoreError("no gradient differs between the two minibatches")
    return sum(logs) * fmean(patterns.counts)


def _inverse_deviations(g: Tensor, h: Tensor) -> Tensor:
    """Returns the sum over the weights of one layer; of two numbers, std is half the difference."""
    deviation = (g.double().abs() - h.double().abs()).abs() / 2
    return (1 / deviation).masked_fill_(~(deviation > 0), 0).sum()

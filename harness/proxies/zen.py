"""Zen-Score."""

import math
from statistics import fmean

from harness.core.errors import UndefinedScoreError
from harness.passes.feature_perturbation import FeaturePerturbation
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy


@proxy()
def zen(perturbation: FeaturePerturbation) -> float:
    """Log E‖f(x) − f(x + γ·noise)‖₁ + Σ_BN log √(mean running variance).

    f is the feature map before global pooling of a network with N(0,1) weights, x is noise. The
    second term undoes the scaling by batch norm.

    Source: Lin et al. 2021, "Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition".
    """
    pairs = zip(perturbation.differences, perturbation.variances, strict=True)
    values = []
    for difference, variances in pairs:
        if not difference > 0:
            raise UndefinedScoreError("the feature map does not react to the input")
        means = numbers([v.double().mean() for v in variances])
        values.append(math.log(difference) + sum(math.log(math.sqrt(mean)) for mean in means))
    return fmean(values)

"""SWAP-Score and its regularised form."""

import math
from statistics import fmean

from harness.errors import UndefinedScoreError
from harness.passes import RegulariserSettings, Settings
from harness.passes.static import Layers
from harness.passes.swap import SampleWisePatterns
from harness.proxies.base import proxy


@proxy()
def swap(patterns: SampleWisePatterns) -> float:
    """Ψ, the number of distinct sample-wise activation patterns, averaged over initialisations.

    A pattern is one ReLU unit's bits over all images; units of every ``nn.ReLU`` call with 4-D
    input count.

    Source: Peng et al. 2024, "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS", eq. 4.
    """
    return fmean(patterns.counts)


@proxy()
def reg_swap(patterns: SampleWisePatterns, layers: Layers, settings: Settings) -> float:
    """Ψ' = Ψ · exp(−(Θ − μ)² / σ), the SWAP-Score with a bump at model size μ.

    Θ counts the network's parameters in the space's unit (millions for the benchmarks); σ is not
    squared. With μ at or above the largest size the factor grows with the size.

    Source: Peng et al. 2024, "SWAP-NAS", eqs. 5 and 6.
    """
    regulariser = settings.regulariser
    theta = layers.parameters if regulariser.theta is None else regulariser.theta
    return fmean(patterns.counts) * size_factor(theta, regulariser)


def size_factor(parameters: int, regulariser: RegulariserSettings) -> float:
    """Returns exp(−(Θ−μ)²/σ) in float64; it underflows to 0 far from μ."""
    if regulariser.mu is None or regulariser.sigma is None:
        raise UndefinedScoreError("mu and sigma are not set (settings.regulariser)")
    theta = parameters / regulariser.unit
    return math.exp(-((theta - regulariser.mu) ** 2) / regulariser.sigma)

"""SWAP-Score and its regularised form."""

import math
from statistics import fmean

from harness.core.errors import UndefinedScoreError
from harness.passes.sample_patterns import SampleWisePatterns
from harness.passes.settings import RegulariserSettings
from harness.passes.static import Layers
from harness.proxies.contract import proxy


@proxy(ceiling=lambda settings, batch_size: 2.0 ** settings["swap"]["images"])
def swap(patterns: SampleWisePatterns) -> float:
    """Ψ, the number of distinct sample-wise activation patterns, averaged over initialisations.

    A pattern is one ReLU unit's bits over all images; units of every ReLU with 4-D input
    count. Of S images there are 2^S patterns. Undefined where there is no such unit.

    Source: Peng et al. 2024, "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS", eq. 4.
    """
    return fmean(patterns.counts)


@proxy()
def reg_swap(
    patterns: SampleWisePatterns, layers: Layers, regulariser: RegulariserSettings
) -> float:
    """Ψ' = Ψ · exp(−(Θ − μ)² / σ), the SWAP-Score with a bump at model size μ.

    Θ counts the network's parameters in the space's unit (millions for the benchmarks); σ is not
    squared. With μ at or above the largest size the factor grows with the size.

    Source: Peng et al. 2024, "SWAP-NAS", eqs. 5 and 6.
    """
    return fmean(patterns.counts) * size_factor(layers.theta, regulariser)


def size_factor(parameters: int, regulariser: RegulariserSettings) -> float:
    """Returns exp(−(Θ−μ)²/σ) in float64; it underflows to 0 far from μ."""
    if regulariser.mu is None or regulariser.sigma is None:
        raise UndefinedScoreError("mu and sigma are not set (RegulariserSettings)")
    theta = parameters / (regulariser.unit or 1e6)
    return math.exp(-((theta - regulariser.mu) ** 2) / regulariser.sigma)

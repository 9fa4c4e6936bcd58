"""Ensembles: the scores of several proxies as one, for a whole population."""

import numpy as np
from numpy.typing import NDArray

from harness.passes.further_settings import EnsembleSettings
from harness.proxies.contract import Accuracies, population
from harness.stats import ensembles

Columns = NDArray[np.float64]


@population()
def rank_log(columns: Columns, settings: EnsembleSettings) -> Columns:
    """Σ_k log(rank_k / n) over the proxies of ``ensemble.proxies``: AZ-NAS's way for any list.

    Undefined parts rank last.

    Source: Lee & Ham 2024, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search".
    """
    return ensembles.rank_log(columns)


@population()
def vote(columns: Columns, settings: EnsembleSettings) -> Columns:
    """By how many of the others an architecture is outvoted, less than it outvotes them.

    Of two architectures the one that more proxies of ``ensemble.proxies`` rank higher wins. By
    default these are the three of the paper.

    Source: Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS".
    """
    return ensembles.vote(columns)


@population()
def robot(columns: Columns, accuracies: Accuracies, settings: EnsembleSettings) -> Columns:
    """Weighted sum of the proxies of ``ensemble.proxies``. Sees ``ensemble.queries`` accuracies.

    Weights in [−1, 1] of scores scaled to [0, 1], found by Bayesian optimisation: the architecture
    that a proposal ranks first is looked up. A score made with accuracies is not zero-cost.

    Source: He et al. 2024, "Robustifying and Boosting Training-Free Neural Architecture Search".
    """
    return ensembles.robot(columns, accuracies.values, settings.queries)


@population("params")
def libra(columns: Columns, accuracies: Accuracies, settings: EnsembleSettings) -> Columns:
    """rank_log of three proxies of ``ensemble.proxies`` that it chooses. Sees all accuracies.

    The one with the highest ρ; of those within 0.1 of it the one that tells least beyond it; then
    the one whose ρ with params is nearest to the accuracy's. An oracle, not a zero-cost proxy.

    Source: Casarin et al. 2025, "L-SWAG: Layer-Sample Wise Activation with Gradients Information
    for Zero-Shot NAS on Vision Transformers" (LIBRA-NAS).
    """
    *_, sizes = columns.T
    return ensembles.libra(columns[:, :-1], accuracies.values, sizes)

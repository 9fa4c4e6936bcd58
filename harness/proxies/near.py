"""NEAR."""

import torch
from torch import Tensor

from harness.passes.features import SquareActivations
from harness.passes.transfer import on_host
from harness.proxies.contract import proxy


@proxy()
def near(activations: SquareActivations) -> float:
    """Σ over layers of the effective rank of a square block of activations.

    The effective rank is exp(entropy of the normalised singular values); layers are those with a
    weight and the activation functions.

    Source: Husistein et al. 2024, "NEAR: A Training-Free Pre-Estimator of Machine Learning Model
    Performance".
    """
    return sum(_effective_rank(matrix) for matrix in on_host(activations.matrices))


def _effective_rank(matrix: Tensor) -> float:
    singular = torch.linalg.svdvals(matrix)
    if not float(singular.sum()) > 0:
        return 0.0
    shares = singular / singular.sum()
    entropy = -torch.special.xlogy(shares, shares).sum()
    return float(entropy.exp())

"""Norm of the initial weights."""

from harness.passes.static import Weights
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy


@proxy()
def l2_norm(weights: Weights) -> float:
    """Σ_l ‖w_l‖, the Euclidean norms of all convolution and linear weights, summed over layers.

    Source: Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS".
    """
    return sum(numbers([w.norm() for w in weights.tensors]))

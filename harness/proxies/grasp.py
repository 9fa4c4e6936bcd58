"""GraSP."""

import torch

from harness.passes.minibatch import HessianGradient
from harness.proxies.contract import proxy


@proxy(labels=True)
def grasp(hessian: HessianGradient) -> float:
    """−Σ ⟨w, H·g⟩, how much the gradient's flow loses when a weight goes.

    H is the Hessian and g the gradient of the loss; the logits' temperature is 1. In single
    precision, in which it is computed everywhere, it is badly conditioned on some networks: on
    NAS-Bench-201 cells it can be off by a few percent, with ``channels_last`` more than without.

    Source: Wang et al. 2020, "Picking Winning Tickets Before Training by Preserving Gradient Flow";
    sign as in Abdelfattah et al. 2021.
    """
    pairs = zip(hessian.weights, hessian.products, strict=True)
    return 0.0 - float(torch.stack([(w * h).sum() for w, h in pairs]).double().sum())

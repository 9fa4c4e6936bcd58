"""ZiCo."""

import math

import torch

from harness.core.errors import UndefinedScoreError
from harness.passes.minibatch import LossGradients, SecondGradients
from harness.proxies.contract import proxy


@proxy(labels=True)
def zico(first: LossGradients, second: SecondGradients) -> float:
    """Σ_l log Σ_i mean_b |g_i| / std_b(g_i), over two minibatches b.

    g_i is the gradient of weight i. For two batches the quotient is
    (|g¹| + |g²|) / |g¹ − g²|; weights with equal gradients and layers without any are left out.

    Source: Li et al. 2023, "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients".
    """
    logs = []
    for g, h in zip(first.gradients, second.gradients, strict=True):
        difference = (g.double() - h.double()).abs()
        differing = difference > 0
        magnitude = g.double().abs() + h.double().abs()
        total = float(torch.sum(magnitude[differing] / difference[differing]))
        if total > 0:
            logs.append(math.log(total))
    if not logs:
        raise UndefinedScoreError("no gradient differs between the two minibatches")
    return sum(logs)

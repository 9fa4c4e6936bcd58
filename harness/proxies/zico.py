"""ZiCo."""

import math

from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.minibatch import LossGradients, SecondGradients
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy


@proxy(labels=True)
def zico(first: LossGradients, second: SecondGradients) -> float:
    """Σ_l log Σ_i mean_b |g_i| / std_b(g_i), over two minibatches b.

    g_i is the gradient of weight i. For two batches the quotient is
    (|g¹| + |g²|) / |g¹ − g²|; weights with equal gradients and layers without any are left out.

    Source: Li et al. 2023, "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients".
    """
    logs = [math.log(total) for total in layer_totals(first, second) if total > 0]
    if not logs:
        raise UndefinedScoreError("no gradient differs between the two minibatches")
    return sum(logs)


def layer_totals(first: LossGradients, second: SecondGradients) -> list[float]:
    """Returns Σ_i mean_b |g_i| / std_b(g_i) of every layer, 0 where no gradient differs."""
    return numbers(list(map(_quotients, first.gradients, second.gradients)))


def _quotients(g: Tensor, h: Tensor) -> Tensor:
    """Returns the sum over the weights of one layer; weights with equal gradients add 0."""
    difference = (g.double() - h.double()).abs()
    magnitude = g.double().abs() + h.double().abs()
    return (magnitude / difference).masked_fill_(~(difference > 0), 0).sum()

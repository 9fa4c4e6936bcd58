"""Epsinas."""

import torch
from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.constant_weights import ConstantWeightOutputs
from harness.passes.transfer import on_host
from harness.proxies.contract import proxy

ROUNDING = 1e-4  # of what a sum's terms reach; single precision keeps seven digits of them


@proxy(version=2)  # 1 gave what rounding leaves of a sum that cancels
def eps(outputs: ConstantWeightOutputs) -> float:
    """The mean of |p₁ − p₂| over the mean of p, outputs p₁ and p₂ under two constant weights.

    The outputs of the whole minibatch are stretched to [0, 1]; zeros, the smallest of each, are
    left out, and so is the other one of the pair in the numerator. Every weight has the same value,
    batch norm's too, and biases are 0. Definition read in the authors' code. Behind a layer norm,
    whose outputs add up to 0, a constant layer returns the rounding of zero: undefined.

    Source: Gracheva 2023, "Neural Architecture Search: Two Constant Shared Weights Initialisations"
    (epsinas).
    """
    small, large, kept = on_host([outputs.small, outputs.large, outputs.kept])
    p, q = _stretched(small), _stretched(large)
    if kept < ROUNDING:
        raise UndefinedScoreError(
            "the terms of the last layer's sums cancel under a constant weight, as they do after a "
            "layer norm, and what is left is rounding"
        )
    both = (p != 0) & (q != 0)
    if not bool(both.any()):
        raise UndefinedScoreError("no output differs from the smallest under both weights")
    mean = torch.cat([p[p != 0], q[q != 0]]).mean()
    return float((p[both] - q[both]).abs().mean() / mean)


def _stretched(outputs: Tensor) -> Tensor:
    low, high = outputs.min(), outputs.max()
    if not bool(high.isfinite() & low.isfinite()):
        raise UndefinedScoreError("the outputs overflow under a constant weight")
    if not bool(high > low):
        raise UndefinedScoreError("all outputs are equal under a constant weight")
    return (outputs - low) / (high - low)

"""SynFlow."""

import math

import torch

from harness.core.errors import UndefinedScoreError
from harness.passes.synaptic_flow import SynapticFlow
from harness.proxies.contract import proxy


@proxy()
def synflow(flow: SynapticFlow) -> float:
    """Log Σ |w ⊙ ∂R/∂w| with absolute weights, an input of ones and no batch norm.

    R is the sum of all outputs. Undefined where nothing flows from the input to the output.

    Source: Tanaka et al. 2020, "Pruning neural networks without any data by iteratively conserving
    synaptic flow"; the logarithm as in NAS-Bench-Suite-Zero.
    """
    total = float(torch.stack(flow.parts).sum())
    if not total > 0:
        raise UndefinedScoreError("no flow reaches the output")
    return math.log(total)

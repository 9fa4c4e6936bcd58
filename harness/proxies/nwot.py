"""NASWOT, and the number of standard activation patterns."""

import numpy as np
import torch

from harness.core.errors import UndefinedScoreError
from harness.passes.minibatch import ActivationAgreement
from harness.passes.patterns import NO_RELU
from harness.proxies.contract import proxy


@proxy()
def nwot(agreement: ActivationAgreement) -> float:
    """Log |det K|, K_ij = number of ReLU units whose bits agree for images i and j.

    All ReLU-like layers count (LeakyReLU and ReLU6 too), each call once. Undefined where two images
    have equal bits throughout, which makes K singular.

    Source: Mellor et al. 2021, "Neural Architecture Search without Training".
    """
    parts = [part for part in (agreement.relu_maps, agreement.others) if part is not None]
    if not parts:
        raise UndefinedScoreError("the network has no ReLU")
    # float64: K is an exact integer matrix, and log-determinants of two networks differ little.
    _, logdet = np.linalg.slogdet(torch.stack(parts).sum(dim=0).cpu().numpy())
    if not np.isfinite(logdet):
        raise UndefinedScoreError("the kernel matrix is singular")
    return float(logdet)


@proxy(ceiling=lambda settings, batch_size: float(batch_size))
def activation_patterns(agreement: ActivationAgreement) -> float:
    """|A|, the number of distinct standard activation patterns: images that no other one equals.

    Two images share a pattern if all ReLU units with 4-D input agree; at most the batch
    size, which wide networks reach at once.

    Source: Peng et al. 2024, "SWAP-NAS", definition 3.1 (after Xiong et al. 2020 and Chen et al.
    2021).
    """
    if agreement.relu_maps is None:
        raise UndefinedScoreError(NO_RELU)
    equal = agreement.relu_maps == agreement.units
    return float((~equal.tril(-1).any(dim=1)).sum())

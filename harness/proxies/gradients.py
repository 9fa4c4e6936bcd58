"""Proxies of the loss gradient: grad_norm, snip, plain.

A layer that the loss does not depend on has gradient 0. Weights are those of convolutions and
linear layers.
"""

import torch

from harness.passes.minibatch import LossGradients
from harness.proxies.contract import proxy


@proxy(labels=True)
def grad_norm(gradients: LossGradients) -> float:
    """Σ_l ‖∂L/∂w_l‖, the gradient's Euclidean norms summed over layers.

    Source: Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS".
    """
    return float(torch.stack([g.norm() for g in gradients.gradients]).double().sum())


@proxy(labels=True)
def snip(gradients: LossGradients) -> float:
    """Σ |w ⊙ ∂L/∂w|, how much the loss reacts to removing a connection, summed over all weights.

    Source: Lee et al. 2019, "SNIP: Single-shot Network Pruning"; as a proxy: Abdelfattah et al.
    2021.
    """
    pairs = zip(gradients.weights, gradients.gradients, strict=True)
    return float(torch.stack([(w * g).abs().sum() for w, g in pairs]).double().sum())


@proxy(labels=True)
def plain(gradients: LossGradients) -> float:
    """Σ w ⊙ ∂L/∂w, as snip but signed.

    A layer followed by train-mode batch norm contributes 0 but for rounding, because scaling its
    weights leaves the loss unchanged: the classifier's term is what remains.

    Source: Abdelfattah et al. 2021, "Zero-Cost Proxies for Lightweight NAS".
    """
    pairs = zip(gradients.weights, gradients.gradients, strict=True)
    return float(torch.stack([(w * g).double().sum() for w, g in pairs]).sum())

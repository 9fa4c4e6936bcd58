"""EZNAS-A."""

import torch
from torch import Tensor, nn

from harness.core.errors import UndefinedScoreError
from harness.passes.minibatch import LossGradients
from harness.passes.transfer import numbers
from harness.proxies.contract import proxy


@proxy(labels=True)
def eznas_a(gradients: LossGradients) -> float:
    """Mean over convolutions of ‖sigmoid(log |det sign(∂L/∂w)|)‖, a formula found by search.

    The determinant is that of each k×k kernel, so that singular ones count 0 and 1×1 ones ½, and
    the norm is Euclidean over all kernels of a convolution. Undefined where a kernel is not square.
    Definition read in third-party code; whether the authors' images were noise is not known.

    Source: Akhauri et al. 2022, "EZNAS: Evolving Zero-Cost Proxies For Neural Architecture
    Scoring".
    """
    pairs = zip(gradients.layers, gradients.gradients, strict=True)
    kernels = [gradient for layer, gradient in pairs if isinstance(layer, nn.Conv2d)]
    if not kernels:
        raise UndefinedScoreError("the network has no convolution")
    if any(kernel.shape[2] != kernel.shape[3] for kernel in kernels):
        raise UndefinedScoreError("a convolution's kernel is not square")
    norms = numbers([_norm(kernel) for kernel in kernels])
    return sum(norms) / len(norms)


def _norm(kernels: Tensor) -> Tensor:
    determinants = torch.linalg.det(kernels.double().sign()).abs()
    sigmoids = determinants / (1 + determinants)  # of their logarithms
    norm: Tensor = torch.linalg.vector_norm(sigmoids)
    return norm

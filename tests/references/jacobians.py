"""Proxies made of the derivatives of the outputs."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from references.common import correlations, prepare


def jacov(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    double: bool = False,
) -> float:
    """−Σ_i [log(λ_i + k) + 1/(λ_i + k)], k = 1e-5, over the eigenvalues of the correlations of J.

    Mellor et al., "Neural Architecture Search without Training" (first version, 2020); the rows of
    J are the derivatives of the sum of all outputs with respect to each image. NaN where J has a
    constant row or an eigenvalue is below −k.
    """
    jacobian, _ = _input_jacobian(network, images, double)
    correlation = correlations(jacobian)
    if not np.isfinite(correlation).all():
        return math.nan
    shifted = np.linalg.eig(correlation)[0].real + 1e-5
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(-np.sum(np.log(shifted) + 1 / shifted))


def epe_nas(network: nn.Module, images: Tensor, labels: Tensor, *, double: bool = False) -> float:
    """Correlations of the same J within each class: s_c = Σ log(|corr| + 1e-5).

    Lopes et al., "EPE-NAS: Efficient Performance Estimation Without Training" (2021). Up to 100
    classes: Σ_c |s_c|. More: s_c is divided by the number of images of the class, classes with a
    single image are left out, and the score is Σ_c Σ_d |s_c − s_d| over the number of classes.
    """
    jacobian, outputs = _input_jacobian(network, images, double)
    classes = labels.argmax(dim=1) if labels.dim() == 2 else labels
    many = outputs.shape[-1] > 100
    sums = []
    for c in sorted(set(classes.tolist())):
        # Of a single row, numpy returns the bare number 1.
        correlation = correlations(jacobian[(classes == c).numpy()])
        if many and correlation.ndim == 0:
            continue
        total = float(np.sum(np.log(np.abs(correlation) + 1e-5)))
        sums.append(total / len(correlation) if many else total)
    if not many:
        return float(sum(abs(s) for s in sums))
    return sum(abs(s - t) for s in sums for t in sums) / len(sums) if sums else 0.0


def ntk(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    double: bool = False,
) -> float:
    """Condition number λ_max/λ_min of the neural tangent kernel Θ = G Gᵀ; lower is better.

    Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours" (TE-NAS, 2021): row n
    of G is the derivative of the sum of image n's outputs, within one train-mode forward pass of
    the whole batch, with respect to every parameter whose name contains "weight".
    """
    network, images = prepare(network, images, double=double)
    outputs = network(images)
    rows = []
    for n in range(len(images)):
        network.zero_grad(set_to_none=True)
        outputs[n].sum().backward(retain_graph=True)
        rows.append(
            np.concatenate(
                [
                    p.grad.flatten().double().numpy()
                    for name, p in network.named_parameters()
                    if "weight" in name and p.grad is not None
                ]
            )
        )
    eigenvalues = np.linalg.eigvalsh(np.array(rows) @ np.array(rows).T)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(eigenvalues[-1] / eigenvalues[0])


def _input_jacobian(network: nn.Module, images: Tensor, double: bool) -> tuple[np.ndarray, Tensor]:
    """Returns the gradient of the sum of all outputs, images × pixels, and the outputs."""
    network, images = prepare(network, images, double=double)
    images.requires_grad_(True)
    # The network gets a copy, which it may overwrite in place.
    outputs = network(images.clone())
    outputs.backward(torch.ones_like(outputs))
    # No gradient at all: no path leads from the images to the outputs.
    jacobian = torch.zeros_like(images) if images.grad is None else images.grad
    return jacobian.reshape(len(images), -1).double().numpy(), outputs.detach()

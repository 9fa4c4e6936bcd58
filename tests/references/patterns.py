"""Proxies made of the on/off patterns of rectifiers."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from references.common import prepare


def nwot(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    double: bool = False,
) -> float:
    """log |det K|, where K counts the rectifiers in which two images agree.

    Mellor et al., "Neural Architecture Search without Training" (2021): K sums B Bᵀ and
    (1−B)(1−B)ᵀ over every module whose type name contains ReLU, of any rank, once per call; a bit
    is one where the module's input is positive. A singular K gives −inf.
    """
    network, images = prepare(network, images, double=double)
    n = len(images)
    kernel = np.zeros((n, n))

    def add(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        # Before the call: an in-place rectifier overwrites its input.
        on = (inputs[0].detach() > 0).reshape(n, -1).numpy().astype(np.float64)
        kernel[:] += on @ on.T + (1 - on) @ (1 - on).T

    for module in network.modules():
        if "ReLU" in type(module).__name__:
            module.register_forward_pre_hook(add)
    with torch.no_grad():
        network(images)
    return float(np.linalg.slogdet(kernel)[1])


def activation_patterns(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    double: bool = False,
) -> float:
    """Number of distinct rows of the images × neurons matrix of bits.

    The standard activation pattern of Peng et al., "SWAP-NAS: Sample-Wise Activation Patterns for
    Ultra-fast NAS" (2024), over all ReLUs with a four-dimensional input.
    """
    signs = np.sign(_outputs(network, images, double))
    return float(len({row.tobytes() for row in signs}))


def swap(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    double: bool = False,
) -> float:
    """Number of distinct sample-wise patterns: distinct rows of the neurons × images matrix.

    Peng et al., "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS" (2024), Ψ on the
    weights that the network has, in train mode; the all-zero pattern counts. Zero for a network
    without four-dimensional ReLUs.
    """
    signs = np.sign(_outputs(network, images, double)).T
    return float(len(np.unique(signs, axis=0)))


def reg_swap(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    mu: float,
    sigma: float,
    unit: float,
    double: bool = False,
) -> float:
    """Ψ · exp(−(Θ−μ)²/σ) with Θ the number of parameters, without an auxiliary head, over unit.

    Peng et al., "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS" (2024),
    regularised SWAP-Score; σ is not squared and not doubled.
    """
    count = sum(p.numel() for name, p in network.named_parameters() if "auxiliary" not in name)
    theta = count / unit
    return swap(network, images, double=double) * math.exp(-((theta - mu) ** 2) / sigma)


def linear_regions(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    batch_size: int | None = None,
    double: bool = False,
) -> float:
    """Number of linear regions that the images fall into: Σ_n 1/|{m : pattern m = pattern n}|.

    Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours" (TE-NAS, 2021): bits of
    all ReLUs with a four-dimensional input; the images run in batches, their patterns are pooled.
    """
    rows = np.concatenate(
        [
            np.sign(_outputs(network, part, double))
            for part in images.split(batch_size or len(images))
        ]
    )
    total = 0.0
    for row in rows:
        total += 1 / int((rows == row).all(axis=1).sum())
    return total


def _outputs(network: nn.Module, images: Tensor, double: bool) -> np.ndarray:
    """Returns the outputs of all 4-D ``nn.ReLU`` calls, side by side: images × neurons."""
    network, images = prepare(network, images, double=double)
    # An empty first block keeps the shape right when there is no such ReLU.
    outputs = [np.zeros((len(images), 0), dtype=np.float32)]

    def remember(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if inputs[0].dim() == 4:
            # A copy: a later in-place operation would change the output under our hands.
            outputs.append(output.detach().clone().reshape(len(output), -1).numpy())

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(remember)
    with torch.no_grad():
        network(images)
    return np.concatenate(outputs, axis=1)

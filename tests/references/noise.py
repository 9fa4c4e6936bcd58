"""Proxies that run the network on ones or on noise, with weights of their own."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from references.common import layers, prepare


def synflow(
    network: nn.Module, images: Tensor, labels: Tensor | None = None, *, log: bool = True
) -> float:
    """log Σ |w ⊙ ∂R/∂w|, where R sums the outputs for one all-ones input.

    Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic
    flow" (2020), as NAS-Bench-Suite-Zero (Krishnakumar et al., 2022) computes it: float64, all
    weights and buffers replaced by their absolute values, batch norm by the identity. A flow of
    zero scores zero. Only the shape of ``images`` matters.
    """
    network, images = prepare(network, images, double=True)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            # A copy, so that what follows in place cannot reach what lies before the batch norm.
            module.forward = lambda x: x.clone()
    with torch.no_grad():
        for value in network.state_dict().values():
            value.abs_()
    network(torch.ones(1, *images.shape[1:], dtype=torch.float64)).sum().backward()
    raw = 0.0
    for layer in layers(network).values():
        if layer.weight.grad is not None:
            raw += float((layer.weight.detach() * layer.weight.grad).abs().sum())
    if not log:
        return raw
    return math.log(raw) if raw > 0 else 0.0


def zen(
    network: nn.Module,
    x1: Tensor,
    x2: Tensor,
    state: dict[str, Tensor],
    *,
    tap: str | None = None,
    gamma: float = 1e-2,
    double: bool = False,
) -> float:
    """log mean_n ‖f(x₁) − f(x₁ + γx₂)‖₁ + Σ_BN log √(mean running variance).

    Lin et al., "Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition" (2021): f is the
    feature map before global pooling, both passes run in train mode, and the running variances are
    read after both. −inf where the two feature maps are equal.

    Args:
        network: Any network; its own weights do not matter.
        x1: Gaussian inputs, N×C×H×W.
        x2: Gaussian perturbation, the same shape.
        state: All weights and buffers, as ``zen_state`` draws them.
        tap: Name of the module whose input is f; by default the last adaptive average pooling.
        gamma: Size of the perturbation.
        double: Compute in float64.
    """
    network, x1 = prepare(network, x1)
    network.load_state_dict(state)
    x2 = x2.clone()
    if double:
        network, x1, x2 = network.double(), x1.double(), x2.double()
    pools = [m for m in network.modules() if isinstance(m, nn.AdaptiveAvgPool2d)]
    module = network.get_submodule(tap) if tap is not None else pools[-1]
    features: list[Tensor] = []
    module.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0].clone()))
    with torch.no_grad():
        network(x1.clone())
        network(x1 + gamma * x2)
    before, after = (f.double().flatten(1).numpy() for f in features)
    with np.errstate(divide="ignore"):
        score = float(np.log(np.abs(before - after).sum(axis=1).mean()))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            score += math.log(math.sqrt(float(module.running_var.double().mean())))
    return score


def zen_state(network: nn.Module, seed: int) -> dict[str, Tensor]:
    """Returns a draw of Zen-NAS's weights: N(0, 1), no biases, fresh normalisation layers.

    Lin et al. (2021): convolution and linear weights are standard normal, their biases zero,
    normalisation weights one and biases zero; running statistics start at zero and one.
    """
    network, _ = prepare(network, torch.empty(0))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.normal_(generator=generator)
            elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.affine:
                module.weight.fill_(1)
            else:
                continue
            if module.bias is not None:
                module.bias.zero_()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
                module.reset_running_stats()
    return network.state_dict()

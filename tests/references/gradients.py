"""Proxies made of the gradient of the loss with respect to the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from references.common import Loss, backward, cross_entropy, layers, prepare


def grad_norm(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Sum over layers of the Frobenius norm of the weight's gradient.

    Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS" (2021): convolution and linear
    weights only; a layer without a gradient counts as zero.
    """
    network, images = prepare(network, images, double=double)
    backward(network, images, labels, loss)
    gradients = [layer.weight.grad for layer in layers(network).values()]
    return sum(math.sqrt(float((g.double() ** 2).sum())) for g in gradients if g is not None)


def snip(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Sum of |∂L/∂c| at c = 1, where the mask c multiplies every weight.

    Lee et al., "SNIP: Single-shot Network Pruning based on Connection Sensitivity" (2019),
    without its normalisation by the total, as Abdelfattah et al. (2021) sum it.
    """
    network, images = prepare(network, images, double=double)
    weights = {
        f"{name}.weight".lstrip("."): layer.weight for name, layer in layers(network).items()
    }
    masks = {name: torch.ones_like(weight, requires_grad=True) for name, weight in weights.items()}
    masked = {name: masks[name] * weight.detach() for name, weight in weights.items()}
    gradients = torch.autograd.grad(
        loss(functional_call(network, masked, (images,)), labels),
        list(masks.values()),
        allow_unused=True,
    )
    return sum(float(g.double().abs().sum()) for g in gradients if g is not None)


def plain(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Sum of weight times gradient, with its sign.

    The "plain" measure of NAS-Bench-Suite-Zero (Krishnakumar et al., 2022), after Mozer &
    Smolensky's skeletonization (1989).
    """
    network, images = prepare(network, images, double=double)
    backward(network, images, labels, loss)
    total = 0.0
    for layer in layers(network).values():
        if layer.weight.grad is not None:
            total += float((layer.weight.detach().double() * layer.weight.grad.double()).sum())
    return total


def grasp(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Minus the sum of weight times Hessian-gradient product.

    Wang et al., "Picking Winning Tickets Before Training by Preserving Gradient Flow" (2020), at
    temperature 1: a first forward pass gives the constant g, a second one the differentiable g,
    and the derivative of their inner product is Hg. The sign is Abdelfattah et al.'s (2021).
    """
    network, images = prepare(network, images, double=double)
    weights = [layer.weight for layer in layers(network).values()]
    constant = torch.autograd.grad(loss(network(images), labels), weights, allow_unused=True)
    gradients = torch.autograd.grad(
        loss(network(images), labels), weights, create_graph=True, allow_unused=True
    )
    inner = sum(
        (c.detach() * g).sum()
        for c, g in zip(constant, gradients, strict=True)
        if c is not None and g is not None
    )
    products = torch.autograd.grad(inner, weights, allow_unused=True)
    return -sum(
        float((w.detach().double() * h.double()).sum())
        for w, h in zip(weights, products, strict=True)
        if h is not None
    )


def fisher(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Sum over layers and channels of ½ mean_n (Σ_hw a·∂L/∂a)², times the weights per channel.

    Turner et al., "BlockSwap: Fisher-guided Block Substitution" (2020), as in Abdelfattah et al.
    (2021): a is the layer's raw output, before batch norm and activation, and each channel's value
    counts once per weight of that channel. Every call of a shared layer adds its own term. The
    gradient is taken with respect to a zero that is added to a, so that a later in-place operation
    can change neither.
    """
    network, images = prepare(network, images, double=double)
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []

    def remember(module: nn.Module, _: object, output: Tensor) -> Tensor:
        zero = torch.zeros_like(output, requires_grad=True)
        calls.append((module, output.detach(), zero))
        return output + zero

    for layer in layers(network).values():
        layer.register_forward_hook(remember)
    value = loss(network(images), labels)
    zeros = [zero for _, _, zero in calls]
    deltas = torch.autograd.grad(value, zeros, allow_unused=True)
    total = 0.0
    for (layer, activation, _), delta in zip(calls, deltas, strict=True):
        if delta is not None:
            products = activation.double() * delta.double()
            if products.dim() == 3:  # tokens are positions, their features channels
                products = products.movedim(2, 1)
            products = products.reshape(*products.shape[:2], -1)
            channels = 0.5 * (products.sum(dim=2) ** 2).mean(dim=0)
            total += math.prod(layer.weight.shape[1:]) * float(channels.sum())
    return total


def dss(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    roles: Mapping[nn.Module, str],
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Synaptic diversity of the attentions plus synaptic saliency of the MLPs.

    Zhou et al., "Training-free Transformer Architecture Search" (2022): of a matrix of an
    attention the product of its nuclear norm and of its gradient's, of one of an MLP the sum of
    |w · ∂L/∂w|. The nuclear norm is the trace of the square root of WᵀW.

    Args:
        network: The network, as initialised by the caller.
        images: N×C×H×W.
        labels: N.
        roles: Linear layer of ``network`` -> ``attention`` or ``mlp``.
        loss: Of outputs and labels.
        double: Compute in float64.
    """
    names = {name: roles[layer] for name, layer in layers(network).items() if layer in roles}
    network, images = prepare(network, images, double=double)
    backward(network, images, labels, loss)
    total = 0.0
    for name, role in names.items():
        weight = network.get_submodule(name).weight
        w, g = weight.detach().double().numpy(), weight.grad.double().numpy()
        if role == "mlp":
            total += float(np.abs(w * g).sum())
        else:
            total += _nuclear_norm(w) * _nuclear_norm(g)
    return total


def _nuclear_norm(matrix: np.ndarray) -> float:
    squares = np.linalg.eigvalsh(matrix.T @ matrix)
    return float(np.sqrt(squares.clip(min=0)).sum())


def gradsign(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Sum over all weights of |Σ_n sign(gradient of image n)|.

    Zhang & Jia, "GradSign: Model Performance Inference with Theoretical Insights" (2022): each
    image is a batch of its own, in train mode. Weights without a gradient count as zero.
    """
    network, images = prepare(network, images, double=double)
    weights = [layer.weight for layer in layers(network).values()]
    sums = [torch.zeros_like(weight) for weight in weights]
    for i in range(len(images)):
        backward(network, images[i : i + 1], labels[i : i + 1], loss)
        for layer_sum, weight in zip(sums, weights, strict=True):
            if weight.grad is not None:
                layer_sum.add_(torch.sign(weight.grad))
    return sum(float(layer_sum.abs().double().sum()) for layer_sum in sums)


def zico(
    network: nn.Module,
    batches: Sequence[tuple[Tensor, Tensor]],
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Sum over layers of log Σ_i mean|g_i| / std(g_i), over the gradients of several batches.

    Li et al., "ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients" (2023):
    population standard deviation; weights whose gradient does not vary, and layers that are left
    with nothing, do not count.
    """
    network, _ = prepare(network, batches[0][0], double=double)
    stacks: dict[str, list[np.ndarray]] = {name: [] for name in layers(network)}
    for images, labels in batches:
        backward(network, images.double() if double else images, labels, loss)
        for name, layer in layers(network).items():
            if layer.weight.grad is not None:
                stacks[name].append(layer.weight.grad.flatten().double().numpy().copy())
    score = 0.0
    for gradients in stacks.values():
        if gradients:
            mean, std = np.abs(gradients).mean(axis=0), np.std(gradients, axis=0)
            total = float((mean[std != 0] / std[std != 0]).sum())
            score += math.log(total) if total != 0 else 0.0
    return score

"""Proxies of 2022 to 2026, each on its own forward and backward passes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 -- the name that everybody knows
from torch import Tensor, nn
from torch.func import jacfwd, jacrev

from references.common import Loss, backward, correlations, cross_entropy, layers, prepare
from references.patterns import swap

Batches = Sequence[tuple[Tensor, Tensor]]


def vkdnw(
    network: nn.Module,
    noise: Tensor,
    state: dict[str, Tensor],
    *,
    parameters: int = 128,
    released: bool = False,
) -> float:
    """Number of parameter tensors, plus the entropy of the deciles of the Fisher spectrum.

    Týbl & Neumann, "Training-free NAS through Variance of Knowledge of Deep Network Weights"
    (2025). Image by image and class by class: the gradient of a logit, of which the first element
    of each parameter tensor is kept. Evaluation mode; ``state`` holds the weights and buffers.
    """
    network, noise = prepare(network, noise, double=True)
    network.load_state_dict(state)
    network.double().eval()
    every = list(network.parameters())
    chosen = every[:parameters]
    fisher = np.zeros((len(chosen), len(chosen)))
    for image in noise:
        (logits,) = network(image[None])
        rows = []
        for logit in logits:
            gradients = torch.autograd.grad(logit, chosen, retain_graph=True, allow_unused=True)
            rows.append([0.0 if g is None else float(g.flatten()[0]) for g in gradients])
        jacobian = np.array(rows)
        p = F.softmax(logits, dim=0).detach().numpy() * 0.95 + 0.05 / len(logits)
        covariance = np.diag(p) - np.outer(p, p)
        if released:
            factor = multinomial_cholesky(p)
            np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-12)
            covariance = factor.T @ factor
        fisher += jacobian.T @ covariance @ jacobian / len(noise)
    singular = np.linalg.svd(fisher, compute_uv=False)
    deciles = np.quantile(singular, np.arange(1, 10) / 10)
    if deciles.sum() == 0:
        return math.nan
    shares = deciles / deciles.sum()
    return len(every) - sum(share * math.log(share) for share in shares if share > 0)


def multinomial_cholesky(p: np.ndarray) -> np.ndarray:
    """Lower triangular L with L Lᵀ = diag p − p pᵀ.

    Tanabe & Sagae, "An exact Cholesky decomposition and the generalized inverse of the
    variance-covariance matrix of the multinomial distribution" (1992).
    """
    left = 1 - np.cumsum(p)  # what is left behind each class
    factor = np.zeros((len(p), len(p)))
    for j in range(len(p) - 1):
        before = left[j] + p[j]
        factor[j, j] = math.sqrt(p[j] * left[j] / before)
        factor[j + 1 :, j] = -p[j + 1 :] * math.sqrt(p[j] / (left[j] * before))
    return factor


def eps(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    weights: tuple[float, float] = (1e-7, 1.0),
    double: bool = False,
) -> float:
    """Mean distance between the outputs under two constant weights, over their mean.

    Gracheva, "Neural Architecture Search: Two Constant Shared Weights Initialisations" (2023):
    NaN stands for the zeros, which are the smallest outputs.
    """
    stretched = []
    for weight in weights:
        constant, seen = prepare(network, images, double=double)
        for module in constant.modules():
            for name, value in (("weight", weight), ("bias", 0.0)):
                if isinstance(getattr(module, name, None), nn.Parameter):
                    nn.init.constant_(getattr(module, name), value)
        with torch.no_grad():
            outputs = constant(seen).double().numpy().flatten()
        with np.errstate(invalid="ignore"):
            outputs = (outputs - outputs.min()) / (outputs.max() - outputs.min())
        stretched.append(np.where(outputs == 0, np.nan, outputs))
    known = np.isfinite(stretched)
    if not known.all(axis=0).any():
        return math.nan
    distance = np.nanmean(np.abs(stretched[0] - stretched[1]))
    return float(distance / np.nanmean(stretched))


def wrcor(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    cells: Sequence[str],
    behind: Sequence[str] = (),
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """log |det K|, K the weighted sum of absolute correlations of ReLU inputs and gradients.

    Jing et al., "Zero-Shot Neural Architecture Search with Weighted Response Correlation" (2025).

    Args:
        network: The network.
        images: N×C×H×W.
        labels: Of the images.
        cells: Names of the cells, from input to output.
        behind: Names of what follows the cells.
        loss: Of the task.
        double: Compute in float64.
    """
    network, images = prepare(network, images, double=double)
    calls: list[tuple[int, Tensor]] = []

    def separate(cell: int):
        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
            own = inputs[0] + torch.zeros_like(inputs[0], requires_grad=True)
            own.retain_grad()
            calls.append((cell, own))
            return (own,)

        return before

    for cell, name in enumerate([*cells, *behind]):
        for module in network.get_submodule(name).modules():
            if "ReLU" in type(module).__name__:
                module.inplace = False
                module.register_forward_pre_hook(separate(min(cell, len(cells))))
    backward(network, images, labels, loss)
    kernel = np.zeros((len(images), len(images)))
    for cell, x in calls:
        gradient = torch.zeros_like(x) if x.grad is None else x.grad
        for response in (x.detach(), gradient):
            correlation = np.abs(correlations(response.flatten(1).double().numpy()))
            if not np.isnan(correlation).any():
                kernel += 2**cell * correlation
    return float(np.linalg.slogdet(kernel)[1])


def dextr(
    network: nn.Module,
    images: Tensor,
    u: Tensor,
    v: Tensor,
    chosen: Sequence[int],
    *,
    double: bool = False,
) -> float:
    """ab/(a + b) of a = log(1 + Σ inverse condition numbers) and b = log(1 + κ).

    Asthana et al., "Dextr: Zero-Shot Neural Architecture Search with Singular Value Decomposition
    and Extrinsic Curvature" (2025): derivatives by forward over
    reverse mode.

    Args:
        network: The network.
        images: Of which the first is looked at.
        u: 1×C×H×W, the input at angle 0.
        v: 1×C×H×W, where the circle leads from there.
        chosen: Which outputs.
        double: Compute in float64.
    """
    ratios = []
    network, images = prepare(network, images, double=double)
    hooks = [
        module.register_forward_hook(
            lambda _, __, output: ratios.append(_inverse_condition(output[0]))
        )
        for module in network.modules()
    ]
    with torch.no_grad():
        network(images[:1])
    for hook in hooks:
        hook.remove()

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # the batch's statistics alone
            module.running_mean = module.running_var = None
            module.track_running_stats = False

    def outputs(angle: Tensor) -> Tensor:
        image = angle.cos() * u.to(images) + angle.sin() * v.to(images)
        return network(image).flatten()[torch.tensor(chosen)]

    start = torch.zeros((), dtype=images.dtype)
    velocity = jacrev(outputs)(start).detach().numpy()
    acceleration = jacfwd(jacrev(outputs))(start).detach().numpy()
    vv, aa, va = velocity @ velocity, acceleration @ acceleration, velocity @ acceleration
    a = math.log(1 + sum(ratios))
    with np.errstate(all="ignore"):
        curvature = np.float64(vv) ** -1.5 * np.sqrt(max(vv * aa - va**2, 0.0))
    if not np.isfinite(curvature):
        return a
    b = math.log(1 + curvature)
    return a * b / (a + b)


def _inverse_condition(feature: Tensor) -> float:
    matrix = feature.detach().double().reshape(len(feature), -1).numpy()
    singular = np.linalg.svd(matrix, compute_uv=False)
    return 0.0 if singular.max() == 0 else float(singular.min() / singular.max())


def zico_bc(
    network: nn.Module, batches: Batches, *, beta: float = 1.0, double: bool = False
) -> float:
    """ZiCo − β Σ log(H·W / √C) over the layers whose gradients differ; NaN if none do.

    Bhardwaj et al., "ZiCo-BC: A Bias Corrected Zero-Shot NAS for Vision Tasks" (2023).
    """
    network, _ = prepare(network, batches[0][0], double=double)
    score = 0.0
    for name, stack in _gradients(network, batches, double).items():
        mean, std = np.abs(stack).mean(axis=0), stack.std(axis=0)
        if (std != 0).any():
            score += math.log((mean[std != 0] / std[std != 0]).sum())
            *_, c, h, w = (1, 1, *_output_shape(network, name, batches[0][0], double))[-3:]
            score -= beta * math.log(h * w / math.sqrt(c))
    return score or math.nan


def l_swag(network: nn.Module, batches: Batches, *, double: bool = False) -> float:
    """Σ_l log Σ 1/std of absolute gradients, times the number of sample-wise patterns.

    Casarin et al., "L-SWAG: Layer-Sample Wise Activation with Gradients information" (2025), over
    all layers.
    """
    copied, _ = prepare(network, batches[0][0], double=double)
    score = 0.0
    for stack in _gradients(copied, batches, double).values():
        std = np.abs(stack).std(axis=0)
        if (std != 0).any():
            score += math.log((1 / std[std != 0]).sum())
    return (score or math.nan) * swap(network, batches[0][0], double=double)


def eznas_a(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    double: bool = False,
) -> float:
    """Mean over convolutions of the norm of sigmoid(log |det sign(gradient of a kernel)|).

    Akhauri et al., "EZNAS: Evolving Zero-Cost Proxies For Neural Architecture Scoring" (2022).
    """
    network, images = prepare(network, images, double=double)
    backward(network, images, labels, loss)
    norms = []
    for layer in layers(network).values():
        if isinstance(layer, nn.Conv2d):
            gradient = layer.weight.grad
            kernels = np.zeros(layer.weight.shape) if gradient is None else gradient.numpy()
            squares = 0.0
            for kernel in kernels.reshape(-1, *kernels.shape[2:]):
                sign, logarithm = np.linalg.slogdet(np.sign(kernel).astype(float))
                squares += 0.0 if sign == 0 else (1 / (1 + math.exp(-logarithm))) ** 2
            norms.append(math.sqrt(squares))
    return float(np.mean(norms))


def swap_signum(
    network: nn.Module, images: Tensor, *, kinds: tuple[type[nn.Module], ...], double: bool = False
) -> float:
    """Number of distinct columns of the matrix images × units of output signs.

    The signum form of Peng et al.'s SWAP (2026) over the activations of some kinds.
    """
    network, images = prepare(network, images, double=double)
    columns: set[bytes] = set()

    def remember(_: nn.Module, __: object, output: Tensor) -> None:
        signs = np.sign(output.detach().flatten(1).numpy()) + 0.0  # no negative zero
        columns.update(column.tobytes() for column in signs.T)

    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(remember)
    with torch.no_grad():
        network(images)
    return float(len(columns))


def intrain(
    network: nn.Module,
    noise: Tensor,
    labels: Tensor,
    *,
    norms: bool = True,
    double: bool = False,
) -> float:
    """γ(1 + o) / log(L + 1): log participation ratios, and evenness of gradients.

    Zhou et al., "InTrain: Intrinsic Trainability for Zero-Cost Neural Architecture Search" (2026),
    over the outputs of convolutions and linear layers.
    """
    network, noise = prepare(network, noise, double=double)
    logarithms: list[float] = []

    def remember(_: nn.Module, __: object, output: Tensor) -> None:
        channels = output.detach().double().transpose(0, 1).flatten(1).numpy()
        covariance = np.cov(channels, bias=True).reshape(len(channels), len(channels))
        covariance = covariance + 1e-10 * np.eye(len(channels))
        eigenvalues = np.linalg.eigvalsh(covariance)
        logarithms.append(math.log(eigenvalues.sum() ** 2 / (eigenvalues**2).sum()))

    weighted = layers(network).values()
    for layer in weighted:
        layer.register_forward_hook(remember)
    backward(network, noise, labels, cross_entropy)
    health = 0.0
    for parameter in network.parameters() if norms else [layer.weight for layer in weighted]:
        if parameter.grad is not None:
            gradient = parameter.grad.double().numpy()
            health += min(1.0, gradient.std() / (np.abs(gradient).max() + 1e-10))
    return sum(logarithms) * (1 + health) / math.log(len(logarithms) + 1)


def _gradients(network: nn.Module, batches: Batches, double: bool) -> dict[str, np.ndarray]:
    """Returns per layer the weight's gradients of all batches, stacked; without those of none."""
    found: dict[str, list[np.ndarray]] = {}
    for images, labels in batches:
        backward(network, images.double() if double else images, labels, cross_entropy)
        for name, layer in layers(network).items():
            if layer.weight.grad is not None:
                found.setdefault(name, []).append(layer.weight.grad.double().numpy().copy())
    return {name: np.stack(stack) for name, stack in found.items()}


def _output_shape(network: nn.Module, name: str, images: Tensor, double: bool) -> tuple[int, ...]:
    """Returns channels, height and width of a layer's last output; channels of a linear one."""
    shapes = []
    layer = network.get_submodule(name)
    hook = layer.register_forward_hook(lambda _, __, output: shapes.append(output.shape[1:]))
    with torch.no_grad():
        network(images.double() if double else images)
    hook.remove()
    shape = tuple(shapes[-1])
    return (shape[-1], 1, 1) if isinstance(layer, nn.Linear) else shape

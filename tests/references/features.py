"""Proxies made of the spectra of feature maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy.stats
import torch
import torch.nn.functional as F  # noqa: N812 -- the name that everybody knows
from torch import Tensor, nn

from references.common import correlations, prepare

Choose = Callable[[int], Sequence[int]]


def meco(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    double: bool = False,
) -> float:
    """Sum over modules of the least eigenvalue of the channels' correlation matrix.

    Jiang et al., "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via Minimum Eigenvalue
    of Correlation" (2023): the first image alone, in train mode; every module counts, containers
    and the whole network too, once per call; undefined correlations are zero.
    """
    values = [_least_eigenvalue(f) for f in _features(network, images, double)]
    return float(sum(v for v in values if math.isfinite(v)))


def meco_opt(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    choose: Choose,
    double: bool = False,
) -> float:
    """MeCo on a few channels of each feature map, times (channels / chosen channels).

    Jiang et al. (2023): eight channels are chosen at random. ``choose`` maps the number of
    channels to their indices and is asked once per module call, in the order of the calls.
    """
    total = 0.0
    for feature in _features(network, images, double):
        chosen = list(choose(len(feature)))
        value = _least_eigenvalue(feature[chosen]) * len(feature) / len(chosen)
        total += value if math.isfinite(value) else 0.0
    return total


def az_expressivity(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    features: Sequence[nn.Module],
    double: bool = False,
) -> float:
    """Sum over features of the entropy of the normalised spectrum of their covariance.

    Lee & Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search" (2024);
    −inf where it is undefined.
    """
    entropies = [_entropy(f) for f in _outputs(network, images, features, double)]
    return _defined(sum(entropies))


def az_progressivity(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    features: Sequence[nn.Module],
    double: bool = False,
) -> float:
    """Least growth of that entropy from one feature to the next.

    Lee & Ham, "AZ-NAS" (2024); −inf where it is undefined.
    """
    entropies = [_entropy(f) for f in _outputs(network, images, features, double)]
    return _defined(float(np.min(np.diff(entropies))))


def az_trainability(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    features: Sequence[nn.Module],
    cotangents: Sequence[Tensor],
    double: bool = False,
) -> float:
    """Mean over blocks of −σ − 1/(σ + 1e-6) + 2, σ the norm of vᵀu averaged over positions.

    Lee & Ham, "AZ-NAS" (2024): u are random signs on a block's output, v is their pull-back to
    the block's input, brought to the output's resolution by pixel unshuffling. A block that pulls
    u back unchanged scores −inf.

    Args:
        network: The network, as initialised by the caller.
        images: N×C×H×W, Gaussian noise in the paper.
        labels: Ignored.
        features: Modules of ``network`` whose outputs bound the blocks, from input to output.
        cotangents: One tensor of signs for each feature but the first.
        double: Compute in float64.
    """
    outputs = _outputs(network, images, features, double)
    scores = []
    for before, after, u in zip(outputs, outputs[1:], cotangents, strict=False):
        v = _pull_back(before, after, u.to(after.dtype))
        if v.shape == u.shape and bool((v == u).all()):
            scores.append(-math.inf)
            continue
        if v.shape[2:] != u.shape[2:]:
            v = F.pixel_unshuffle(v, v.shape[2] // u.shape[2])
        positions = u.numel() / _positions_by_channels(u).shape[1]
        product = _positions_by_channels(v).T @ _positions_by_channels(u) / positions
        sigma = float(np.linalg.svd(product, compute_uv=False)[0])
        scores.append(-sigma - 1 / (sigma + 1e-6) + 2)
    return _defined(float(np.mean(scores)))


def near(
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    start: Callable[[int, int, int], int],
    double: bool = False,
) -> float:
    """Sum over layers of the effective rank of a square block of their activation matrix.

    Husistein et al., "NEAR: A Training-Free Pre-Estimator of Machine Learning Model Performance"
    (2024): modules with a weight and activation functions; rows are positions, columns channels,
    and as many consecutive rows as columns are kept. Of a module that is called several times, as
    many calls are joined as it takes to have enough rows.

    Args:
        network: The network, as initialised by the caller; runs in train mode.
        images: N×C×H×W.
        labels: Ignored.
        start: Chooses the first row from (rows, columns, last axis of the output); asked once per
            module that has enough rows, in the order of the calls. The paper draws a multiple of
            the last axis.
        double: Compute in float64.
    """
    network, images = prepare(network, images, double=double)
    kinds = tuple(getattr(nn, name) for name in nn.modules.activation.__all__)
    matrices: dict[nn.Module, np.ndarray] = {}
    finished: set[nn.Module] = set()

    def remember(module: nn.Module, _: object, output: Tensor) -> None:
        if module in finished:
            return
        rows = output.transpose(1, 3).flatten(0, 2) if output.dim() == 4 else output
        matrix = rows.detach().double().numpy().copy()
        if module in matrices:
            matrix = np.concatenate([matrices[module], matrix])
        count, columns = matrix.shape
        if count >= columns:
            first = start(count, columns, output.shape[-1])
            matrix = matrix[first : first + columns]
            finished.add(module)
        matrices[module] = matrix

    for module in network.modules():
        if hasattr(module, "weight") or isinstance(module, kinds):
            module.register_forward_hook(remember)
    with torch.no_grad():
        network(images)
    return sum(effective_rank(matrix) for matrix in matrices.values())


def effective_rank(matrix: np.ndarray) -> float:
    """exp of the entropy of the normalised singular values (Roy & Vetterli, 2007); 0 for zeros."""
    singular = np.linalg.svd(matrix, compute_uv=False)
    if singular.sum() == 0:
        return 0.0
    return float(np.exp(scipy.stats.entropy(singular / singular.sum())))


def _features(network: nn.Module, images: Tensor, double: bool) -> list[np.ndarray]:
    """Returns the first image's output of every module call as channels × positions."""
    network, images = prepare(network, images[:1], double=double)
    features: list[np.ndarray] = []

    def remember(module: nn.Module, _: object, output: Tensor) -> None:
        first = output[0].detach().double()
        if first.dim() == 2:  # tokens are positions, their features channels
            first = first.T
        features.append(first.reshape(len(first), -1).numpy().copy())

    for _, module in network.named_modules():
        module.register_forward_hook(remember)
    with torch.no_grad():
        network(images)
    return features


def _least_eigenvalue(feature: np.ndarray) -> float:
    # Of a single channel, numpy returns the bare number.
    correlation = np.atleast_2d(correlations(feature))
    correlation[~np.isfinite(correlation)] = 0
    return float(np.linalg.eigvals(correlation).real.min())


def _outputs(
    network: nn.Module, images: Tensor, features: Sequence[nn.Module], double: bool
) -> list[Tensor]:
    """Runs a copy of the network; returns the outputs of the copies of ``features``, in order."""
    names = {module: name for name, module in network.named_modules()}
    network, images = prepare(network, images, double=double)
    outputs: dict[str, Tensor] = {}
    for name in (names[module] for module in features):
        network.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: outputs.__setitem__(name, output)
        )
    # With a gradient on the images, every feature is part of the graph.
    network(images.requires_grad_(True).clone())
    return [outputs[names[module]] for module in features]


def _pull_back(before: Tensor, after: Tensor, u: Tensor) -> Tensor:
    """Returns the vector-Jacobian product of u, zeros where no path leads back."""
    if not after.requires_grad:
        return torch.zeros_like(before)
    (v,) = torch.autograd.grad(after, before, u, retain_graph=True, allow_unused=True)
    return torch.zeros_like(before) if v is None else v


def _positions_by_channels(x: Tensor) -> np.ndarray:
    """Tokens, N×L×C, are positions."""
    if x.dim() == 3:
        return x.detach().double().reshape(-1, x.shape[2]).numpy()
    return x.detach().double().permute(0, 2, 3, 1).flatten(0, 2).numpy()


def _entropy(feature: Tensor) -> float:
    rows = _positions_by_channels(feature)
    centred = rows - rows.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh(centred.T @ centred / len(rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        p = eigenvalues / eigenvalues.sum()
        return float(-(p * np.log(p + 1e-8)).sum())


def _defined(value: float) -> float:
    return -math.inf if math.isnan(value) else value

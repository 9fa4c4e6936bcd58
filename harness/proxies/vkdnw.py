"""VKDNW: the spread of a Fisher information, and the number of parameter tensors."""

import torch
from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.further_settings import VkdnwSettings
from harness.passes.logit_jacobian import LogitJacobian
from harness.passes.static import Layers
from harness.passes.transfer import on_host
from harness.proxies.contract import proxy

SMOOTHING = 0.05  # share of the uniform distribution in the class probabilities


@proxy()
def parameter_tensors(layers: Layers) -> float:
    """ℵ, the number of the network's parameter tensors: weights, biases, scales and shifts.

    The baseline inside VKDNW, which adds at most log 9 to it. Definition read in the authors' code.

    Source: Týbl & Neumann 2025, "Training-free Neural Architecture Search through Variance of
    Knowledge of Deep Network Weights".
    """
    return float(layers.tensors)


@proxy(tasks="tasks with classes")
def vkdnw(found: LogitJacobian, settings: VkdnwSettings) -> float:
    """ℵ + the entropy of the nine deciles of the Fisher information's singular values.

    F = mean_n J_nᵀ Σ_n J_n, with J_n the Jacobian of image n's logits by the first element of each
    of the first 128 parameter tensors and Σ = diag p − p pᵀ of p = 0.95·softmax + 0.05/K; ℵ is the
    number of parameter tensors. ``vkdnw.released`` takes Lᵀ L of the Cholesky factor L of Σ in the
    place of Σ = L Lᵀ, as the authors' code does, in which the definition was read.

    Source: Týbl & Neumann 2025, "Training-free Neural Architecture Search through Variance of
    Knowledge of Deep Network Weights".
    """
    logits, jacobian = on_host([found.logits, found.jacobian])
    middle = _covariance(logits)
    if settings.released:
        factor = _cholesky(middle)
        middle = factor.transpose(1, 2) @ factor
    fisher = (jacobian.transpose(1, 2) @ middle @ jacobian).mean(dim=0)
    if not bool(fisher.isfinite().all()):
        raise UndefinedScoreError("the Jacobian of the logits overflows")
    deciles = torch.linalg.svdvals(fisher).quantile(fisher.new_tensor(range(1, 10)) / 10)
    if not float(deciles.sum()) > 0:
        raise UndefinedScoreError("the logits do not depend on the parameters")
    shares = deciles / deciles.sum()
    return found.tensors - float(torch.special.xlogy(shares, shares).sum())


def _covariance(logits: Tensor) -> Tensor:
    """Returns the covariance of a draw of the class, N×K×K."""
    p = logits.softmax(dim=1) * (1 - SMOOTHING) + SMOOTHING / logits.shape[1]
    return torch.diag_embed(p) - p[:, :, None] * p[:, None, :]


def _cholesky(covariance: Tensor) -> Tensor:
    """Returns L of a covariance of rank K − 1, whose last column is 0."""
    last = covariance.shape[1] - 1
    factor = torch.zeros_like(covariance)
    factor[:, :last, :last] = torch.linalg.cholesky(covariance[:, :last, :last])
    factor[:, last] = -factor[:, :last].sum(dim=1)  # columns add up to 0, as the covariance's do
    return factor

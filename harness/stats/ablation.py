"""SWAP's size regulariser over stored scores: any μ and σ without running a network again.

Peng et al. 2024, "SWAP-NAS", eqs. 5 and 6 and appendix B: Ψ' = Ψ · exp(−(Θ − μ)² / σ).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.core.errors import DataError
from harness.stats.correlation import spearman
from harness.stats.ranks import Floats

NEEDED = ("seed", "value", "theta", "truth")
COLUMNS = ["mu", "sigma", "seed", "n", "spearman", "spearman_log", "spearman_rounded", "tied"]
DECIMALS = 4


def regularised(
    psi: npt.ArrayLike,
    theta: npt.ArrayLike,
    mu: float | None,
    sigma: float | None,
    decimals: int | None = None,
) -> Floats:
    """Returns Ψ · exp(−(Θ−μ)²/σ) in float64; far from μ it underflows to 0, as the authors' does.

    Args:
        psi: n SWAP-Scores.
        theta: n sizes, in the unit of μ and σ.
        mu: Centre; None for no regularisation, then σ is None too.
        sigma: Width, above 0; it is not squared.
        decimals: To how many decimals the factor is rounded; None for not at all.
    """
    scores, sizes = np.asarray(psi, dtype=np.float64), np.asarray(theta, dtype=np.float64)
    if mu is None or sigma is None:
        return scores
    # Underflow to 0 and through the denormal numbers is the formula's own value here.
    with np.errstate(under="ignore"):
        factor = np.exp(-((sizes - mu) ** 2) / sigma)
        product: Floats = scores * (factor if decimals is None else factor.round(decimals))
    return product


def log_regularised(
    psi: npt.ArrayLike, theta: npt.ArrayLike, mu: float | None, sigma: float | None
) -> Floats:
    """Returns log Ψ − (Θ−μ)²/σ, which ranks like ``regularised`` but never underflows.

    A count Ψ of 0 becomes −∞, the last place.
    """
    scores, sizes = np.asarray(psi, dtype=np.float64), np.asarray(theta, dtype=np.float64)
    with np.errstate(divide="ignore"):
        logarithm: Floats = np.log(scores)
    if mu is None or sigma is None:
        return logarithm
    return logarithm - (sizes - mu) ** 2 / sigma


def sweep(scores: pd.DataFrame, grid: Iterable[tuple[float | None, float | None]]) -> pd.DataFrame:
    """Correlates the regularised score with the accuracy for every (μ, σ) and seed.

    Args:
        scores: One row per architecture and seed: ``seed``, ``value`` (Ψ), ``theta`` (in the unit
            of μ and σ) and ``truth``.
        grid: Pairs of μ and σ; (None, None) is the score without regularisation.

    Returns:
        One row per pair and seed, in that order: ``mu``, ``sigma`` (NaN without regularisation),
        ``seed``, ``n``, ``spearman`` (of the product in float64, ties included), ``spearman_log``
        (of its logarithm), ``spearman_rounded`` (of the product with the factor rounded to four
        decimals, as a script that prints it may have done) and ``tied``, how many architectures
        share the most frequent product.

    Raises:
        DataError: If a column is missing or a value is not finite.
    """
    missing = [name for name in NEEDED if name not in scores.columns]
    if missing:
        raise DataError(f"The scores have no column {missing[0]!r}; expected {', '.join(NEEDED)}.")
    if not np.isfinite(scores[list(NEEDED)].to_numpy(dtype=float)).all():
        raise DataError("The sweep takes finite scores, sizes and accuracies only.")
    groups = [(int(str(seed)), rows) for seed, rows in scores.groupby("seed")]
    rows = [
        [mu, sigma, seed, *_row(group, mu, sigma)] for mu, sigma in grid for seed, group in groups
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"mu": float, "sigma": float})


def _row(
    rows: pd.DataFrame, mu: float | None, sigma: float | None
) -> tuple[int, float, float, float, int]:
    psi, theta, truth = (rows[name].to_numpy(dtype=float) for name in ("value", "theta", "truth"))
    product = regularised(psi, theta, mu, sigma)
    logarithm = log_regularised(psi, theta, mu, sigma)
    rounded = regularised(psi, theta, mu, sigma, DECIMALS)
    rho = [spearman(values, truth) for values in (product, logarithm, rounded)]
    _, counts = np.unique(product, return_counts=True)
    return len(rows), rho[0], rho[1], rho[2], int(counts.max())

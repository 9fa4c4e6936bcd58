"""AZ-NAS: three scores of the cells' features, and the rank aggregate over a population."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from harness.core.errors import UndefinedScoreError
from harness.passes.features import CellFeatures
from harness.proxies.contract import population, proxy
from harness.stats.ensembles import rank_log


@proxy()
def az_expressivity(features: CellFeatures) -> float:
    """Σ over cells of the entropy of the normalised eigenvalues of the channel covariance.

    Source: Lee & Ham 2024, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search".
    """
    return sum(_entropies(features))


@proxy()
def az_progressivity(features: CellFeatures) -> float:
    """The smallest growth of that entropy from one cell to the next.

    Source: Lee & Ham 2024, AZ-NAS.
    """
    return float(np.diff(_entropies(features)).min())


@proxy()
def az_trainability(features: CellFeatures) -> float:
    """Mean over cells of 2 − σ − 1/(σ + 1e-6), σ the spectral norm of the gradient's passage.

    Largest for σ = 1, where gradients neither vanish nor explode. Undefined where a cell or the
    stem is the identity.

    Source: Lee & Ham 2024, AZ-NAS.
    """
    if any(sigma is None for sigma in features.spectral):
        raise UndefinedScoreError("a cell or the stem is the identity")
    sigmas = np.array(features.spectral, dtype=float)
    return float(np.mean(2 - sigmas - 1 / (sigmas + 1e-6)))


@population("az_expressivity", "az_progressivity", "az_trainability", "flops")
def az_nas(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Σ_k log(rank_k / n) over expressivity, progressivity, trainability and complexity (flops).

    A score of an architecture among all others of the same seed; undefined parts rank last.

    Source: Lee & Ham 2024, AZ-NAS.
    """
    return rank_log(columns)


def _entropies(features: CellFeatures) -> list[float]:
    return [_entropy(eigenvalues) for eigenvalues in features.eigenvalues]


def _entropy(eigenvalues: Tensor) -> float:
    if not float(eigenvalues.sum()) > 0:
        raise UndefinedScoreError("a cell's features are constant")
    shares = eigenvalues / eigenvalues.sum()
    return float(-(shares * (shares + 1e-8).log()).sum())

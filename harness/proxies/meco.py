"""MeCo."""

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.passes.features import ModuleOutputs
from harness.passes.row_correlation import correlation_of_rows
from harness.passes.transfer import on_host
from harness.proxies.contract import proxy


@proxy()
def meco(outputs: ModuleOutputs) -> float:
    """Σ over modules of the smallest eigenvalue of the correlation between a map's channels.

    One image; every module counts, containers and the network itself included. Constant channels
    correlate 0 with everything, themselves included.

    Source: Jiang et al. 2023, "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via
    Minimum Eigenvalue of Correlation".
    """
    return sum(_smallest_eigenvalues(outputs.maps))


@proxy()
def meco_opt(outputs: ModuleOutputs) -> float:
    """MeCo over 8 random channels of each map, times C / 8; maps with fewer channels are left out.

    Source: Jiang et al. 2023, MeCo.
    """
    pairs = zip(outputs.maps, outputs.chosen, strict=True)
    looked_at = [(feature, chosen) for feature, chosen in pairs if chosen is not None]
    smallest = _smallest_eigenvalues([feature[chosen] for feature, chosen in looked_at])
    return sum(
        value * len(feature) / len(chosen)
        for value, (feature, chosen) in zip(smallest, looked_at, strict=True)
    )


def _smallest_eigenvalues(features: Sequence[Tensor]) -> list[float]:
    """Returns them map by map; the eigenvalues of small matrices are the host's business."""
    # A single position has no correlation: all entries are undefined, hence 0.
    correlations = [_correlation(feature) for feature in features if feature.shape[1] > 1]
    found = (float(torch.linalg.eigvalsh(one)[0]) for one in on_host(correlations))
    return [next(found) if feature.shape[1] > 1 else 0.0 for feature in features]


def _correlation(feature: Tensor) -> Tensor:
    return torch.nan_to_num(correlation_of_rows(feature), nan=0.0, posinf=0.0, neginf=0.0)

"""MeCo."""

import torch
from torch import Tensor

from harness.passes.features import ModuleOutputs
from harness.proxies.contract import proxy


@proxy()
def meco(outputs: ModuleOutputs) -> float:
    """Σ over modules of the smallest eigenvalue of the correlation between a map's channels.

    One image; every module counts, containers and the network itself included. Constant channels
    correlate 0 with everything, themselves included.

    Source: Jiang et al. 2023, "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via
    Minimum Eigenvalue of Correlation".
    """
    return sum(_smallest_eigenvalue(feature) for feature in outputs.maps)


@proxy()
def meco_opt(outputs: ModuleOutputs) -> float:
    """MeCo over 8 random channels of each map, times C / 8; maps with fewer channels are left out.

    Source: Jiang et al. 2023, MeCo.
    """
    return sum(
        _smallest_eigenvalue(feature[chosen]) * len(feature) / len(chosen)
        for feature, chosen in zip(outputs.maps, outputs.chosen, strict=True)
        if chosen is not None
    )


def _smallest_eigenvalue(feature: Tensor) -> float:
    if feature.shape[1] < 2:
        return 0.0  # a single position has no correlation: all entries are undefined, hence 0
    correlation = torch.corrcoef(feature).reshape(len(feature), len(feature))
    correlation = torch.nan_to_num(correlation, nan=0.0, posinf=0.0, neginf=0.0)
    return float(torch.linalg.eigvalsh(correlation)[0])

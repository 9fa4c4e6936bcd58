"""TE-NAS: condition number of the tangent kernel, and linear regions."""

import torch

from harness.core.errors import UndefinedScoreError
from harness.passes.linear_regions import LinearRegions
from harness.passes.tangent_kernel import TangentKernel
from harness.proxies.contract import proxy


@proxy()
def ntk(kernel: TangentKernel) -> float:
    """−λ_max / λ_min of the neural tangent kernel of a few images.

    The condition number is meant to be small, so its negative is the score. Undefined where the
    kernel is singular within rounding.

    Source: Chen et al. 2021, "Neural Architecture Search on ImageNet in Four GPU Hours: A
    Theoretically Inspired Perspective" (TE-NAS).
    """
    eigenvalues = torch.linalg.eigvalsh(kernel.matrix.cpu())
    smallest, largest = float(eigenvalues[0]), float(eigenvalues[-1])
    if not smallest > 1e-12 * largest:
        raise UndefinedScoreError("the tangent kernel is singular")
    return -largest / smallest


@proxy(ceiling=lambda settings, batch_size: float(_crops(**settings["linear_regions"])))
def linear_regions(regions: LinearRegions) -> float:
    """Number of linear regions that random crops of 3×3 pixels fall into, on a thin network.

    At most the number of crops (3000).

    Source: Chen et al. 2021, TE-NAS; after Xiong et al. 2020, "On the Number of Linear Regions of
    Convolutional Neural Networks".
    """
    return float(regions.regions)


def _crops(samples: int, batches: int, size: int) -> int:
    return samples * batches

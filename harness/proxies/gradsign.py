"""GradSign."""

import torch

from harness.passes.gradient_signs import GradientSigns
from harness.passes.settings import GradSignSettings
from harness.proxies.contract import proxy


@proxy(labels=True)
def gradsign(signs: GradientSigns, settings: GradSignSettings) -> float:
    """Σ over weights of |Σ_n sign ∂L_n/∂w|: do single images pull a weight the same way?

    Summed as in the paper's algorithm, which favours larger networks. ``gradsign.reduction=mean``
    divides by their number, as the authors' script for NAS-Bench-201 does, and ranks differently.

    Source: Zhang & Jia 2022, "GradSign: Model Performance Inference with Theoretical Insights".
    """
    pulls = torch.cat([total.abs().flatten() for total in signs.sums]).double()
    return float(pulls.sum() if settings.reduction == "sum" else pulls.mean())

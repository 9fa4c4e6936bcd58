"""Number of parameters."""

from harness.passes.static import Layers
from harness.proxies.contract import proxy


@proxy()
def params(layers: Layers) -> float:
    """Parameters that a forward uses, in millions.

    Weights, biases and batch norm's scale and shift count, and what belongs to no layer: an
    attention's projections, a position embedding. A module that the forward never calls does not (a
    discriminator, for example).

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators"; as counted in
    NAS-Bench-Suite-Zero (Krishnakumar et al. 2022).
    """
    return layers.parameters / 1e6

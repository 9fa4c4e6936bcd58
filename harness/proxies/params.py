"""Number of parameters."""

from harness.passes.static import Layers
from harness.proxies.contract import proxy


@proxy()
def params(layers: Layers) -> float:
    """Parameters of all executed leaf modules, in millions.

    Weights, biases and batch norm's scale and shift count; a module that the forward never calls
    does not (a discriminator, for example).

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators"; as counted in
    NAS-Bench-Suite-Zero (Krishnakumar et al. 2022).
    """
    counts = [p.numel() for layer in layers.executed for p in layer.module.parameters()]
    return sum(counts) / 1e6

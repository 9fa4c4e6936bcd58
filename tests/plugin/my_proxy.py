"""A proxy on the observation of another plug-in."""

from my_pass import FirstWeights

from harness.proxies import proxy


@proxy(direction="higher")
def my_proxy(weights: FirstWeights) -> float:
    """Number of weights in the first modules."""
    return 1.0 * weights.count

"""SWAP for activations other than ReLU."""

from statistics import fmean

from harness.passes.sample_patterns import SignPatterns
from harness.proxies.contract import proxy


@proxy(ceiling=lambda settings, batch_size: 3.0 ** settings["swap"]["images"])
def swap_signum(patterns: SignPatterns) -> float:
    """Number of distinct patterns of the signs −1, 0 and 1 that leave an activation's unit.

    On networks of ReLUs it equals swap; GELU, SiLU, tanh and their like count too, whatever the
    shape of their input. Definition read in third-party notes.

    Source: Peng et al. 2026, the extension of SWAP to other activations (arXiv 2605.07378).
    """
    return fmean(patterns.counts)

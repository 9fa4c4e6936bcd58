"""How well scores rank architectures: rank correlations with intervals. No torch here."""

from harness.stats.ablation import log_regularised, regularised, sweep
from harness.stats.agreement import agreement
from harness.stats.analysis import Joint, beyond_size, differences, joint, picks
from harness.stats.bootstrap import resampled_spearman
from harness.stats.correlation import correlations, kendall, spearman
from harness.stats.ranks import Policy, resolve_undefined
from harness.stats.summary import summary

__all__ = [
    "Joint",
    "Policy",
    "agreement",
    "beyond_size",
    "correlations",
    "differences",
    "joint",
    "kendall",
    "log_regularised",
    "picks",
    "regularised",
    "resampled_spearman",
    "resolve_undefined",
    "spearman",
    "summary",
    "sweep",
]

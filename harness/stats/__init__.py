"""How well scores rank architectures: rank correlations with intervals. No torch here."""

from harness.core.types import Policy
from harness.stats.ablation import log_regularised, regularised, sweep
from harness.stats.bootstrap import mean_spearman
from harness.stats.comparisons import Joint, beyond_size, differences, joint, top_k
from harness.stats.correlation import correlations, kendall, spearman
from harness.stats.published_agreement import agreement
from harness.stats.ranks import resolve_undefined
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
    "mean_spearman",
    "regularised",
    "resolve_undefined",
    "spearman",
    "summary",
    "sweep",
    "top_k",
]

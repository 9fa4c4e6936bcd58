"""How well scores rank architectures: rank correlations with intervals. No torch here."""

from harness.core.types import Policy
from harness.stats.ablation import log_regularised, regularised, sweep
from harness.stats.bootstrap import mean_spearman
from harness.stats.comparisons import Joint, beyond_size, differences, joint, top_k
from harness.stats.correlation import correlations, kendall, spearman
from harness.stats.learning_curves import learning_curves
from harness.stats.other_targets import at_equal, beside, target_correlations
from harness.stats.pareto import on_front, pareto, seconds_alone
from harness.stats.published_agreement import agreement
from harness.stats.ranks import resolve_undefined
from harness.stats.summary import summary

__all__ = [
    "Joint",
    "Policy",
    "agreement",
    "at_equal",
    "beside",
    "beyond_size",
    "correlations",
    "differences",
    "joint",
    "kendall",
    "learning_curves",
    "log_regularised",
    "mean_spearman",
    "on_front",
    "pareto",
    "regularised",
    "resolve_undefined",
    "seconds_alone",
    "spearman",
    "summary",
    "sweep",
    "target_correlations",
    "top_k",
]

"""How well scores rank architectures: rank correlations with intervals. No torch here."""

from harness.core.types import Policy
from harness.stats.ablation import log_regularised, regularised, sweep
from harness.stats.bias import biases
from harness.stats.bootstrap import mean_spearman
from harness.stats.comparisons import Joint, beyond_size, differences, joint
from harness.stats.convergence import convergence
from harness.stats.correlation import correlations, kendall, spearman
from harness.stats.mitigation import mitigation
from harness.stats.operation_effects import operation_effects
from harness.stats.published_agreement import agreement
from harness.stats.ranks import resolve_undefined
from harness.stats.strata import Members, among, equal_parts, quantile_parts
from harness.stats.summary import summary
from harness.stats.top import top_k

__all__ = [
    "Joint",
    "Members",
    "Policy",
    "agreement",
    "among",
    "beyond_size",
    "biases",
    "convergence",
    "correlations",
    "differences",
    "equal_parts",
    "joint",
    "kendall",
    "log_regularised",
    "mean_spearman",
    "mitigation",
    "operation_effects",
    "quantile_parts",
    "regularised",
    "resolve_undefined",
    "spearman",
    "summary",
    "sweep",
    "top_k",
]

"""How well scores rank architectures: rank correlations with intervals. No torch here."""

from harness.core.types import Policy
from harness.stats.ablation import log_regularised, regularised, sweep
from harness.stats.bias import biases
from harness.stats.bootstrap import mean_spearman
from harness.stats.comparisons import Joint, beyond_size, differences, joint
from harness.stats.convergence import convergence
from harness.stats.correlation import correlations, kendall, spearman
from harness.stats.learning_curves import learning_curves
from harness.stats.mitigation import mitigation
from harness.stats.operation_effects import operation_effects
from harness.stats.other_targets import at_equal, beside, target_correlations
from harness.stats.pareto import on_front, pareto, seconds_alone
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
    "at_equal",
    "beside",
    "beyond_size",
    "biases",
    "convergence",
    "correlations",
    "differences",
    "equal_parts",
    "joint",
    "kendall",
    "learning_curves",
    "log_regularised",
    "mean_spearman",
    "mitigation",
    "on_front",
    "operation_effects",
    "pareto",
    "quantile_parts",
    "regularised",
    "resolve_undefined",
    "seconds_alone",
    "spearman",
    "summary",
    "sweep",
    "target_correlations",
    "top_k",
]

"""Does a score rank better once its bias is divided away?"""

from __future__ import annotations

import pandas as pd

from harness import figures, stats
from harness.analyses.architectures import properties
from harness.analyses.by_column import by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate, printed
from harness.stats.mitigation import BEST, BLIND


@analysis("bias_mitigation", "Does a score rank better without its bias?", chapter=31)
def bias_mitigation(results: StoredResults) -> Drawn:
    """Divides scores by the property that they follow most, C chosen by three strategies."""
    table = by_column(results, lambda one: stats.mitigation(one.joint, properties(one)))
    best = table[table["strategy"] == BEST].set_index(["column", "proxy"])["gain"]
    picture = figures.intervals(
        table[table["strategy"] == BLIND].join(best.rename("best"), on=["column", "proxy"]),
        "gain",
        "What a score gains when the property that it follows is divided away",
        "ρ of f/(b + C) minus ρ of f, on the same architectures. Filled: C for the least bias. "
        "Hollow: C for the best ρ, which looks at the accuracies. 95\N{NO-BREAK SPACE}% intervals "
        "from architectures resampled 200 times, C as chosen.",
        label="difference of Spearman's ρ",
        other="best",
        absence="empty: follows no property",
    )
    return Drawn({"bias_mitigation": table}, {"bias_mitigation": picture}, _finding(table))


def _finding(table: pd.DataFrame) -> str:
    blind, best = table[table["strategy"] == BLIND], table[table["strategy"] == BEST]
    top = best.sort_values("low", na_position="first").iloc[-1]
    return (
        f"Dividing the bias away without looking at accuracies helps in "
        f"{int((blind['low'] > 0).sum())} of {len(blind)} cases and harms in "
        f"{int((blind['high'] < 0).sum())}; C chosen for the best ρ gains "
        f"{printed(best['gain'].median())} in the median, at most "
        f"{estimate(top['gain'], top['low'], top['high'])} ({top['proxy']}, {top['column']}, n = "
        f"{top['n']})."
    )

"""Does a proxy know more than the size of a network?"""

from __future__ import annotations

from harness import figures, stats
from harness.analyses.by_column import RESAMPLED, by_column, defined
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate


@analysis("beyond_size", "Does a proxy know more than size?", chapter=20)
def beyond_size(results: StoredResults) -> Drawn:
    """Correlates scores and accuracies with the ranks of params and flops held fixed."""
    table = by_column(results, lambda one: defined(stats.beyond_size(one.joint), "partial"))
    picture = figures.intervals(
        table,
        "partial",
        "What a proxy knows beyond size",
        "Filled: Spearman's ρ with accuracy, ranks of params and flops held fixed. Hollow: ρ. "
        + RESAMPLED,
        label="partial rank correlation",
        other="spearman",
    )
    above = table[table["low"] > 0].groupby("proxy")["column"].nunique()
    best = table.dropna(subset="partial").sort_values("partial").iloc[-1]
    columns = table["column"].nunique()
    finding = (
        f"With params and flops held fixed, {above.idxmax() if len(above) else 'no proxy'} still "
        f"correlates positively in {above.max() if len(above) else 0} of {columns} columns; the "
        f"largest partial ρ is {estimate(best['partial'], best['low'], best['high'])} "
        f"({best['proxy']}, {best['column']})."
    )
    return Drawn({"beyond_size": table}, {"beyond_size": picture}, finding)

"""Is one proxy better than another, on the same architectures?"""

from __future__ import annotations

from harness import figures, stats
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults

REFERENCE = "reg_swap"


@analysis("differences", f"Does {REFERENCE} rank better than the others?", chapter=11)
def differences(results: StoredResults) -> Drawn:
    """Subtracts ρ of every proxy from ρ of the reference, in the same resamples."""
    table = by_column(results, lambda one: stats.differences(one.joint, REFERENCE))
    picture = figures.intervals(
        table,
        "difference",
        f"How much better {REFERENCE} ranks",
        f"ρ of {REFERENCE} minus ρ of the proxy, on the same architectures. " + RESAMPLED,
        label="difference of Spearman's ρ",
    )
    better, worse = (table["low"] > 0).sum(), (table["high"] < 0).sum()
    finding = (
        f"Paired on the same architectures, {REFERENCE} ranks better in {better} of {len(table)} "
        f"comparisons with another proxy in a column, worse in {worse}, and "
        f"{len(table) - better - worse} cannot be told apart."
    )
    return Drawn({"differences": table}, {"differences": picture}, finding)

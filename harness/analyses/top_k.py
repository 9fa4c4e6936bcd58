"""How accurate are the architectures that a proxy scores highest?"""

from __future__ import annotations

from harness import figures, stats
from harness.analyses.by_column import by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults


@analysis("top_k", "How accurate are a proxy's highest-scored architectures?", chapter=10)
def top_k(results: StoredResults) -> Drawn:
    """Looks at the k highest-scored, and at the best-scored tenth."""
    table = by_column(results, lambda one: stats.top_k(one.joint))
    shares = table.pivot_table(index="proxy", columns="column", values="precision", sort=False)
    picture = figures.heatmap(
        shares,
        title="Share of the best-scored tenth that is among the most accurate tenth",
        subtitle="0.10 by chance; mean over seeds.",
        label="precision",
    )
    means = shares.mean(axis=1)
    finding = (
        f"Of its best-scored tenth, {means.idxmax()} has the largest share among the most accurate "
        f"tenth, {means.max():.2f} on average over {shares.shape[1]} columns, where chance gives "
        "0.10."
    )
    return Drawn({"top_k": table}, {"top_k": picture}, finding)

"""Do proxies fail among the cells with the most convolutions?"""

from __future__ import annotations

import tomllib
from pathlib import Path

from harness import figures
from harness.analyses.by_column import RESAMPLED
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate, printed

PRINTED = Path(__file__).with_name("printed_most_convolutions.toml")
STUDY = "most_convolutions"
"""NAS-Bench-201's 64 cells of six convolutions, of which a sample of 1000 holds four."""


@analysis(STUDY, "Do proxies fail among the cells with the most convolutions?", chapter=22)
def most_convolutions(results: StoredResults) -> Drawn:
    """Correlates among NAS-Bench-201's cells of six convolutions, beside what is printed."""
    one = results.column("nb201", "cifar10", study=STUDY)
    ends = {"spearman_mean": "spearman", "spearman_low": "low", "spearman_high": "high"}
    table = one.summary[["proxy", *ends, "n", "seeds"]].rename(columns=ends)
    table.insert(0, "column", one.name)
    table["published"] = table["proxy"].map(tomllib.loads(PRINTED.read_text()))
    picture = figures.intervals(
        table,
        "spearman",
        "How proxies rank NAS-Bench-201's cells of six convolutions",
        f"Filled: Spearman's ρ. Hollow: published (Kang et al., ICCV 2025). {RESAMPLED}",
        label="Spearman's ρ",
        other="published",
    )
    claims = ", ".join(
        f"{row['proxy']} {estimate(row['spearman'], row['low'], row['high'])}, published "
        f"{printed(row['published'])}"
        for row in table.dropna(subset="published").to_dict("records")
    )
    best = table.sort_values("low", na_position="first").iloc[-1]
    finding = (
        f"Among the {table['n'].min()} cells of nb201 with six convolutions ρ is: {claims}; the "
        f"best is {estimate(best['spearman'], best['low'], best['high'])} of {best['proxy']}."
    )
    return Drawn({STUDY: table}, {STUDY: picture}, finding)

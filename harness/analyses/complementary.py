"""What does a second, a third proxy add?"""

from __future__ import annotations

import pandas as pd

from harness import figures
from harness.analyses.by_column import by_column, enough
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate
from harness.results.finished import Result
from harness.stats.complementarity import information
from harness.stats.information import OURS, SUITE_ZERO

BINNED = 500
"""Architectures; fewer say nothing about combinations of bins."""
ORDERS = {
    "random": "random order",
    "greedy": "greedy order",
    "exhaustive": "best set",
    "shuffled": "shuffled accuracy, greedy",
}


@analysis("complementary", "What does a second or a third proxy add?", chapter=51)
def complementary(results: StoredResults) -> Drawn:
    """Conditional entropy of the accuracy, in our bins and in NAS-Bench-Suite-Zero's."""
    table = by_column(results, _information)
    means = table.groupby(["bins", "order", "k"], sort=False)["share"].mean().reset_index()
    columns = table["column"].nunique()
    panels = [
        figures.CurvePanel(
            words,
            [
                figures.Curve(label, own["k"], own["share"])
                for order, label in ORDERS.items()
                for own in [means[(means["bins"] == binning.name) & (means["order"] == order)]]
            ],
            range(int(means["k"].max()) + 1),
        )
        for binning, words in (
            (SUITE_ZERO, "equal widths (NAS-Bench-Suite-Zero)"),
            (OURS, "4 quantiles, bias corrected"),
        )
    ]
    picture = figures.curves(
        panels,
        "What is left to know of the accuracy",
        f"Entropy of the accuracy given the bins of k proxies, as a share of that without any; "
        f"mean over {columns} columns. Only what lies below the curve of shuffled accuracies was "
        "learnt.",
        x_label="proxies",
        y_label="share of entropy left",
        markers=True,
    )
    return Drawn({"complementary": table}, {"complementary": picture}, _finding(table))


def _information(one: Result) -> pd.DataFrame:
    joined = enough(one, BINNED)
    return pd.concat([information(joined, binning) for binning in (SUITE_ZERO, OURS)])


def _finding(table: pd.DataFrame) -> str:
    def of(bins: str, order: str, k: int) -> pd.DataFrame:
        return table[(table["bins"] == bins) & (table["order"] == order) & (table["k"] == k)]

    last = int(table["k"].max())
    known, none = (
        of(SUITE_ZERO.name, order, last)["share"].mean() for order in ("greedy", "shuffled")
    )
    learnt = {k: of(OURS.name, "greedy", k)["learnt"].mean() for k in range(1, last + 1)}
    most = max(learnt, key=lambda k: learnt[k])
    best = of(OURS.name, "greedy", 1).sort_values("learnt").iloc[-1]
    return (
        f"In NAS-Bench-Suite-Zero's bins {last} proxies leave {known:.0%} of the accuracy's "
        f"entropy, but {none:.0%} of a shuffled one's; in quartiles one proxy truly tells "
        f"{learnt[1]:.0%}, {most} tell {learnt[most]:.0%} ({best['column']}: {best['proxies']} "
        f"leaves {estimate(best['share'], best['low'], best['high'])}, n = {best['n']})."
    )

"""What do ensembles of proxies gain, and what does looking at accuracies add?"""

from __future__ import annotations

import pandas as pd

from harness import figures
from harness.analyses.by_column import by_column, enough
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate
from harness.results.finished import Result
from harness.stats.held_out import BUDGETS, RESAMPLES, held_out


@analysis("ensembles", "What do ensembles gain, and what must they see for it?", chapter=60)
def ensembles(results: StoredResults) -> Drawn:
    """Ranks unseen architectures by blind ensembles and by those that look at accuracies."""
    table = by_column(results, _held_out)
    halves = table["splits"].min()
    picture = figures.intervals(
        table.rename(columns={"ensemble": "proxy"}).assign(
            proxy=[_label(row.ensemble, row.accuracies) for row in table.itertuples(index=False)]
        ),
        "spearman",
        "Ensembles of all proxies on architectures they did not see",
        f"In brackets: accuracies looked at, each a whole training. Mean over {halves} halves; "
        f"95\N{NO-BREAK SPACE}% intervals from architectures resampled {RESAMPLES} times. Line: "
        "the best single proxy, known only afterwards.",
        label="Spearman's ρ, unseen half",
        line="best_single",
        absence="empty: fewer architectures than accuracies to look at",
    )
    return Drawn({"ensembles": table}, {"ensembles": picture}, _finding(table))


def _held_out(one: Result) -> pd.DataFrame:
    best = one.summary.sort_values("spearman_mean").dropna(subset=["spearman_mean"]).iloc[-1]
    table = held_out(enough(one))
    return table.assign(best_single=best["spearman_mean"], best_single_proxy=best["proxy"])


def _label(ensemble: object, accuracies: object) -> str:
    return f"{ensemble} [{accuracies}]"


def _finding(table: pd.DataFrame) -> str:
    columns = table["column"].nunique()
    grouped = table.groupby(["accuracies", "ensemble"])["spearman"]
    means = grouped.mean()[grouped.count() == columns]
    said = []
    for budget in (0, *BUDGETS):
        if budget in means.index.get_level_values(0):
            own = means.loc[budget]
            said.append(f"{own.idxmax()} {own.max():.2f} with {budget or 'no'} accuracies")
    best = table.sort_values("spearman").iloc[-1]
    single = table.drop_duplicates("column")["best_single"].mean()
    return (
        f"On unseen architectures ensembles reach on average over {columns} columns "
        f"{', '.join(said)}; the best single proxy, known only afterwards, {single:.2f}. Highest: "
        f"{best['ensemble']}, {estimate(best['spearman'], best['low'], best['high'])} "
        f"({best['column']}, n = {best['n']})."
    )

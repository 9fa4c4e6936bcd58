"""Figure 3 of the Zero-Cost-PT paper: what more search and validation iterations bring.

A stored search of N iterations and V batches holds every shorter one: its first iterations, judged
by its first batches.
"""

from __future__ import annotations

import pandas as pd

from harness import figures, stats, truth
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.papers.paper_artefacts import artefact
from harness.search.zero_cost_pt.stored_searches import (
    chosen,
    ends,
    read_searches,
    search_folders,
)

FEWEST = 5  # architectures of a seed: the rank correlation of fewer says nothing
LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def swept(
    name: str, ended: pd.DataFrame, comparisons: pd.DataFrame, errors: pd.Series[float]
) -> pd.DataFrame:
    """Repeats the choice for shorter searches.

    Args:
        name: What the search is called.
        ended: What its iterations ended with, see ``stored_searches.ends``.
        comparisons: How that was judged afterwards.
        errors: CIFAR-10 test error in percent by key.

    Returns:
        One row per N and V: mean number of distinct architectures, mean error of the chosen ones
        over seeds and its deviation.
    """
    seeds = sorted(ended["seed"].unique())
    most_n = int(ended["iteration"].max()) + 1
    most_v = 1 if comparisons.empty else int(comparisons["batch"].max()) + 1
    rows = []
    for n in _lengths(most_n):
        for v in _lengths(most_v):
            choices = [chosen(ended, comparisons, seed, n, v) for seed in seeds]
            reached = errors.loc[[key for key, _ in choices]]
            rows.append(
                {
                    "search": name,
                    "N": n,
                    "V": v,
                    "search_seeds": len(seeds),
                    "distinct": sum(count for _, count in choices) / len(choices),
                    "error": float(reached.mean()),
                    "std": float(reached.std()),
                }
            )
    return pd.DataFrame(rows)


def _lengths(most: int) -> list[int]:
    return sorted({length for length in LENGTHS if length < most} | {most})


@artefact("zcpt_figure3", "figure")
def figure3(results: StoredResults) -> Drawn:
    """Draws score against accuracy of all that was met, and tabulates shorter searches."""
    accuracies = truth.load("nb201", "cifar10", "test_seeds").set_index("key")["value"]
    tables, parts = [], []
    for folder in results.reading(search_folders(results.folder)):
        searches = read_searches(folder)
        found = folder.name, ends("nb201", searches.steps), searches.comparisons
        tables.append(swept(*found, 100 - accuracies))
        parts.append(_points(*found, accuracies))
    table, points = (pd.concat(each, ignore_index=True) for each in (tables, parts))
    drawn = Drawn({"zcpt_figure3": table, "zcpt_figure3_points": points})
    defined = points["value"].notna()
    per_seed = defined.groupby([points["proxy"], points["seed"]]).transform("sum")
    compared = points[defined & (per_seed.groupby(points["proxy"]).transform("min") >= FEWEST)]
    if compared.empty:
        return drawn
    picture = figures.scatter(
        compared,
        stats.summary(compared),
        "Figure 3a · What Zero-Cost-PT finds on NAS-Bench-201",
        f"Every architecture found, of searches with at least {FEWEST} per seed; score: mean over "
        "the validation batches.",
        truth_label="CIFAR-10 test accuracy (%)",
    )
    return Drawn(drawn.tables, {"zcpt_figure3": picture})


def _points(
    name: str, ended: pd.DataFrame, comparisons: pd.DataFrame, accuracies: pd.Series[float]
) -> pd.DataFrame:
    """Returns what each seed met, with its mean score, in the form that scatter plots take."""
    by = ["seed", "key"]
    first = ended.groupby(by)["iteration"].min().rename("found_in_iteration")
    scores = comparisons.rename(columns={"architecture": "key"})
    means = scores.groupby(by)["score"].mean().rename("value").astype(float)
    points = first.to_frame().join(means).reset_index()
    return points.assign(
        space="nb201",
        task="cifar10",
        proxy=name,
        status="ok",
        truth=points["key"].map(accuracies),
    )

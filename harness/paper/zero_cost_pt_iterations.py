"""Figure 3 of the Zero-Cost-PT paper: what more search and validation iterations bring.

A stored search of N iterations and V batches holds every shorter one: its first iterations, judged
by its first batches.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness import figures, stats, truth
from harness.errors import DataError
from harness.paper.base import Drawn, artefact
from harness.paper.results import Results
from harness.paper.zero_cost_pt import folders
from harness.search.zero_cost_pt import choose
from harness.spaces import nb201

FEWEST = 5  # architectures of a seed: the rank correlation of fewer says nothing
LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Iterations:
    """One stored search.

    Attributes:
        name: Its folder's name.
        found: ``seed``, ``iteration``, ``key``: what each search iteration found.
        scores: ``seed``, ``architecture``, ``batch``, ``score``: how that was judged afterwards.
    """

    name: str
    found: pd.DataFrame
    scores: pd.DataFrame


def read(folder: Path) -> Iterations:
    """Reads the steps and comparisons of one search.

    Raises:
        DataError: If a file is missing or broken.
    """
    try:
        protocol = json.loads((folder / "run.json").read_text())["resolved"]["protocol"]
        steps = pd.read_parquet(folder / "steps.parquet")
        comparisons = pd.read_parquet(folder / "comparisons.parquet")
        scores = comparisons[comparisons["protocol"] == protocol]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"The search in {folder} cannot be read ({error}); run it again."
        ) from error
    decided = steps[steps["decided"]].sort_values("edge")
    found = decided.groupby(["seed", "iteration"])["name"].agg(
        lambda names: nb201.to_key(list(names))
    )
    return Iterations(folder.name, found.rename("key").reset_index(), scores)


def chosen(search: Iterations, seed: int, n: int, v: int) -> tuple[str, int]:
    """Returns what the first n iterations and v batches choose, and from how many architectures.

    Raises:
        DataError: If there are several and no scores of them.
    """
    mine = search.found[(search.found["seed"] == seed) & (search.found["iteration"] < n)]
    candidates = mine.sort_values("iteration")["key"].drop_duplicates().tolist()
    scores = search.scores[(search.scores["seed"] == seed) & (search.scores["batch"] < v)]
    if len(candidates) > 1 and scores.empty:
        raise DataError(f"The search {search.name} lacks the comparisons of seed {seed}.")
    return choose(candidates, scores), len(candidates)


def swept(search: Iterations, errors: pd.Series[float]) -> pd.DataFrame:
    """Repeats the choice for shorter searches.

    Args:
        search: A stored search.
        errors: CIFAR-10 test error in percent by key.

    Returns:
        One row per N and V: mean number of distinct architectures, mean error of the chosen ones
        over seeds and its deviation.
    """
    seeds = sorted(search.found["seed"].unique())
    most_n = int(search.found["iteration"].max()) + 1
    most_v = 1 if search.scores.empty else int(search.scores["batch"].max()) + 1
    rows = []
    for n in _lengths(most_n):
        for v in _lengths(most_v):
            picks = [chosen(search, seed, n, v) for seed in seeds]
            reached = errors.loc[[key for key, _ in picks]]
            rows.append(
                {
                    "search": search.name,
                    "N": n,
                    "V": v,
                    "search_seeds": len(seeds),
                    "distinct": sum(count for _, count in picks) / len(picks),
                    "error": float(reached.mean()),
                    "std": float(reached.std()),
                }
            )
    return pd.DataFrame(rows)


def _lengths(most: int) -> list[int]:
    return sorted({length for length in LENGTHS if length < most} | {most})


@artefact("zcpt_figure3", "figure")
def figure3(results: Results) -> Drawn:
    """Draws score against accuracy of what was found, and tabulates shorter searches."""
    accuracies = truth.load("nb201", "cifar10", "test_seeds").set_index("key")["value"]
    searches = [read(folder) for folder in folders(results)]
    table = pd.concat([swept(search, 100 - accuracies) for search in searches], ignore_index=True)
    points = pd.concat([_points(search, accuracies) for search in searches], ignore_index=True)
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


def _points(search: Iterations, accuracies: pd.Series[float]) -> pd.DataFrame:
    """Returns what each seed found, with its mean score, in the form that scatter plots take."""
    by = ["seed", "key"]
    first = search.found.groupby(by)["iteration"].min().rename("found_in_iteration")
    scores = search.scores.rename(columns={"architecture": "key"})
    means = scores.groupby(by)["score"].mean().rename("value").astype(float)
    points = first.to_frame().join(means).reset_index()
    return points.assign(
        space="nb201",
        task="cifar10",
        proxy=search.name,
        status="ok",
        truth=points["key"].map(accuracies),
    )

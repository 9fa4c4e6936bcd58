"""Searches of Zero-Cost-PT in the folder of a result, and what they ended with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.core.errors import DataError
from harness.results.stored_table import stored_table
from harness.search.supernets.named_supernets import blueprint
from harness.search.zero_cost_pt import selected
from harness.search.zero_cost_pt.algorithm import choose

SELECTED, STEPS, COMPARISONS = "selected.csv", "steps.parquet", "comparisons.parquet"


@dataclass(frozen=True)
class StoredSearches:
    """The searches of one result, one per seed.

    Attributes:
        selected: A row per seed: the architecture, and on NAS-Bench-201 its errors and ranks.
        steps: A row per perturbation.
        comparisons: A row per architecture that an iteration ended with, and validation batch.
    """

    selected: pd.DataFrame
    steps: pd.DataFrame
    comparisons: pd.DataFrame

    def __add__(self, other: StoredSearches) -> StoredSearches:
        """Returns the searches of both; those of ``self`` stand for seeds that both have."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        both = (pd.concat([a, b[~b.seed.isin(self.selected.seed)]]) for a, b in pairs)
        return StoredSearches(
            *(one.sort_values("seed", kind="stable", ignore_index=True) for one in both)
        )

    def write(self, folder: Path) -> None:
        """Writes the three tables."""
        self.selected.to_csv(folder / SELECTED, index=False, lineterminator="\n")
        self.steps.to_parquet(folder / STEPS, index=False)
        self.comparisons.to_parquet(folder / COMPARISONS, index=False)


def read_searches(folder: Path) -> StoredSearches:
    """Reads a result.

    Raises:
        DataError: If a file is missing, damaged or of an older layout.
    """
    return StoredSearches(
        stored_table(folder, SELECTED),
        stored_table(folder, STEPS),
        stored_table(folder, COMPARISONS),
    )


def search_folders(results: Path) -> list[Path]:
    """Returns the folders of all searches of NAS-Bench-201 on CIFAR-10, by name.

    Raises:
        DataError: If there is none.
    """
    root = results / "zero_cost_pt" / "nb201" / "cifar10"
    folders = [path.parent for path in sorted(root.glob(f"[!.]*/{SELECTED}"))]
    if not folders:
        raise DataError(
            f"There is no search in {root}; make one with `python -m harness job=zero_cost_pt "
            "space=nb201 inputs=cifar10 seed=0..3`."
        )
    return folders


def ends(space: str, steps: pd.DataFrame) -> pd.DataFrame:
    """Returns ``seed``, ``iteration``, ``key``: the architecture that each iteration ended with."""
    operations, rows = blueprint(space).operations, []
    for (seed, iteration), mine in steps.groupby(["seed", "iteration"]):
        kept = mine[mine.decided & (mine.operation >= 0)]
        cut = mine[~mine.decided & (mine.phase == "topology")]
        decided = dict(zip(zip(kept.cell, kept.edge, strict=True), kept.operation, strict=True))
        removed = frozenset(zip(cut.cell, cut.edge, strict=True))
        rows.append((seed, iteration, selected.architecture(operations, decided, removed)))
    return pd.DataFrame(rows, columns=["seed", "iteration", "key"])


def chosen(
    ended: pd.DataFrame, comparisons: pd.DataFrame, seed: int, n: int, v: int
) -> tuple[str, int]:
    """Returns what the first n iterations and v batches select, and from how many architectures.

    Raises:
        DataError: If there are several and none has a defined score on all batches.
    """
    mine = ended[(ended.seed == seed) & (ended.iteration < n)]
    candidates = mine.sort_values("iteration").key.drop_duplicates().tolist()
    scores = comparisons[(comparisons.seed == seed) & (comparisons.batch < v)]
    if len(candidates) > 1 and scores.empty:
        raise DataError(f"The search lacks the comparisons of seed {seed}; make it again.")
    return choose(candidates, scores), len(candidates)

"""The sizes of what SWAP-NAS selects: tables 1 and 2, figures 5b and 8."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from harness import stats
from harness.artefacts.stored_results import StoredResults
from harness.papers.comparison import Row, absent, claimed, compared
from harness.papers.swap.printed import published
from harness.results.stored_table import stored_table
from harness.search.swap_nas.search_result import SELECTED
from harness.stats.verdict import of_correlation, of_mean, of_single

CONTROL = "size_control"
MADE_BY = {"cifar10": "make figure5b", "imagenet": "make figure8"}


def searches(results: StoredResults, task: str) -> pd.DataFrame:
    """Returns a row per stored SWAP-NAS search of DARTS with μ = σ; those of two results once."""
    root = results.folder / "swap_nas" / "darts" / task
    folders = [
        path.parent for path in sorted(root.glob(f"[!.]*/{SELECTED}")) if _mu_is_sigma(path.parent)
    ]
    tables = [stored_table(one, SELECTED) for one in results.reading(folders)]
    if not tables:
        return pd.DataFrame(columns=["method", "mu", "seed"])
    found = pd.concat(tables, ignore_index=True).query("method == 'swap_nas'")
    return found.drop_duplicates(["mu", "seed"], ignore_index=True)


def _mu_is_sigma(folder: Path) -> bool:
    """Tells it from the name, which a search owes to its method, μ and σ."""
    mu, _, sigma = folder.name.removeprefix("swap_nas_mu").partition("_sigma")
    return folder.name == CONTROL or mu == sigma


def size_rows(results: StoredResults, source: str) -> Iterator[Row]:
    """Yields a row per printed size, and whether sizes grow with μ as the pictures show."""
    for row in published()["selected"]:
        found = searches(results, row["task"])
        mine = found[np.isclose(found["mu"].astype(float), row["mu"])]
        quantity = f"million parameters of {row['name']} (μ = σ = {row['mu']:g})"
        where = (source, row["artefact"], f"darts/{row['task']}", quantity)
        if mine.empty:
            command = f"job=swap_nas space=darts search.mu={row['mu']} search.sigma={row['mu']}"
            yield absent(*where, f"not searched yet: {command}")
            continue
        params = mine[f"params_{row['task']}"] / 1e6
        mean, deviation, n = float(params.mean()), float(params.std(ddof=1)), len(params)
        yield compared(
            *where,
            paper=of_single(row["params"], deviation, n),  # one network, which varies as ours do
            ours=of_mean(mean, deviation, n),
            why=f"{n} searches; the paper prints neither population, cycles nor images",
        )
    for row in published()["size_control"]:
        found = searches(results, row["task"])
        where = (source, row["artefact"], f"darts/{row['task']}", "ρ of μ and the selected size")
        if found.empty:
            yield absent(*where, f"not searched yet: {MADE_BY[row['task']]}")
            continue
        rho = stats.spearman(found["mu"], found["theta"])
        yield claimed(
            *where,
            ours=of_correlation(rho, len(found)),
            why=f"{len(found)} searches; the paper prints the sizes in a picture",
        )

"""The sizes of what SWAP-NAS selects beside the printed ones: tables 1 and 2, figures 5b and 8."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
MADE_BY = "make swap-nas"


def searches(results: StoredResults, task: str) -> pd.DataFrame:
    """Returns a row per stored SWAP-NAS search of DARTS with μ = σ.

    Of those that two results hold, the one counts that is not a size control: its evaluations are
    stored as well.
    """
    root = results.folder / "swap_nas" / "darts" / task
    folders = [path.parent for path in root.glob(f"[!.]*/{SELECTED}") if _mu_is_sigma(path.parent)]
    folders.sort(key=lambda folder: (folder.name == CONTROL, folder))
    tables = [stored_table(one, SELECTED) for one in results.reading(folders)]
    if not tables:
        return pd.DataFrame(columns=["method", "mu", "seed"])
    found = pd.concat(tables, ignore_index=True).query("method == 'swap_nas'")
    return found.drop_duplicates(["mu", "seed"], ignore_index=True)


def _mu_is_sigma(folder: Path) -> bool:
    """Tells it from the name, which a search owes to its method, μ and σ."""
    mu, _, sigma = folder.name.removeprefix("swap_nas_mu").partition("_sigma")
    return folder.name == CONTROL or mu == sigma


def searches_for(results: StoredResults, network: Mapping[str, Any]) -> pd.DataFrame:
    """Returns the stored searches for a printed network, ``millions`` of parameters among them.

    Args:
        results: What is stored.
        network: One of ``selected`` of what is printed.
    """
    found = searches(results, network["task"])
    mine = found[np.isclose(found["mu"].astype(float), network["mu"])]
    return mine.assign(millions=mine.get(f"params_{network['task']}", np.nan) / 1e6)


def as_printed(millions: pd.Series[float], printed: float) -> int:
    """Counts the sizes that round to the printed one, with as many decimals as it has."""
    decimals = len(str(printed).partition(".")[2])
    return int((millions.round(decimals) == printed).sum())


def size_rows(results: StoredResults, source: str) -> Iterator[Row]:
    """Yields a row per printed size, and whether sizes grow with μ as the pictures show."""
    for network in published()["selected"]:
        mine = searches_for(results, network)
        name = f"{network['name']} (μ = σ = {network['mu']:g})"
        where = (source, network["artefact"], f"darts/{network['task']}")
        if mine.empty:
            yield absent(*where, f"million parameters of {name}", f"not searched yet: {MADE_BY}")
            continue
        millions, n = mine["millions"], len(mine)
        mean, deviation = float(millions.mean()), float(millions.std(ddof=1))
        same = as_printed(millions, network["params"])
        yield compared(
            *where,
            f"million parameters of {name}",
            paper=of_single(network["params"], deviation, n),  # one network, which varies as ours
            ours=of_mean(mean, deviation, n),
            why=f"{same} of {n} searches select one of the printed size; the paper prints neither "
            "population, cycles nor images",
        )
        seconds = f"{mine['seconds'].mean():.0f} seconds of scoring {mine['distinct'].mean():.0f}"
        yield absent(
            *where,
            f"{network['minutes']} minutes of search of {name}",
            f"measured on a V100, the number of evaluations is not printed; ours: {seconds} "
            f"networks, {mine['evaluations'].max()} evaluations",
        )
    for row in published()["size_control"]:
        yield from _control_rows(results, source, row)


def _control_rows(results: StoredResults, source: str, row: Mapping[str, str]) -> Iterator[Row]:
    found, where = searches(results, row["task"]), (source, row["artefact"], f"darts/{row['task']}")
    sizes = {"theta": "Θ", f"params_{row['task']}": "the size of the final network"}
    for column, name in sizes.items():
        quantity = f"ρ of μ and {name}"
        if found.empty:
            yield absent(*where, quantity, f"not searched yet: {MADE_BY}")
            continue
        rho = stats.spearman(found["mu"], found[column])
        yield claimed(
            *where,
            quantity,
            ours=of_correlation(rho, len(found)),
            why=f"{len(found)} searches; the paper prints the sizes in a picture",
        )

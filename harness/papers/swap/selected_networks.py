"""Tables 1 and 2 without their errors, and figures 18 to 21: the networks that SWAP-NAS selects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from harness import figures
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.papers.swap.printed import published
from harness.papers.swap.selected_sizes import MADE_BY, as_printed, searches_for
from harness.results.stored_table import stored_table
from harness.search.swap_nas.final_networks import cifar10_size, imagenet_size
from harness.search.swap_nas.search_pictures import cells_of
from harness.search.swap_nas.search_result import EVALUATED

SIZE = {"cifar10": cifar10_size, "imagenet": imagenet_size}
LENGTHS = (50, 100, 200, 300, 500, 1000, 2000, 6050)
"""Evaluations after which a search is looked at: the first population to all of the default."""
Network = Mapping[str, Any]


@artefact("table1", "table")
def table1(results: StoredResults) -> Drawn:
    """Compares sizes and search times of SWAP-NAS-A, B and C with the printed ones."""
    return _table(results, "table 1")


@artefact("table2", "table")
def table2(results: StoredResults) -> Drawn:
    """Compares size and search time of the ImageNet network with the printed ones."""
    return _table(results, "table 2")


def _table(results: StoredResults, printed: str) -> Drawn:
    networks = [one for one in published()["selected"] if one["artefact"] == printed]
    found = [(one, _searches(results, one)) for one in networks]
    name = printed.replace(" ", "")
    return Drawn(
        {
            name: pd.DataFrame([_row(one, mine) for one, mine in found]),
            f"{name}_searches": pd.concat([_listed(one, mine) for one, mine in found]),
            f"{name}_course": pd.concat([_course(results, one) for one in networks]),
        }
    )


def _searches(results: StoredResults, network: Network) -> pd.DataFrame:
    """Returns the stored searches for a printed network.

    Raises:
        DataError: If there are none.
    """
    found = searches_for(results, network)
    if found.empty:
        raise DataError(f"No search for {network['name']} is stored; make them with `{MADE_BY}`.")
    return found


def _row(network: Network, mine: pd.DataFrame) -> dict[str, Any]:
    """Returns what a table shows of a network; minutes are those of scoring, one search."""
    millions = mine["millions"]
    return {
        "network": network["name"],
        "mu": network["mu"],
        "searches": len(mine),
        "theta": mine["theta"].mean(),
        "million_params": millions.mean(),
        "smallest": millions.min(),
        "largest": millions.max(),
        "paper_million_params": network["params"],
        "as_printed": as_printed(millions, network["params"]),
        "evaluations": mine["evaluations"].max(),
        "scored_networks": mine["distinct"].mean(),
        "minutes": mine["seconds"].mean() / 60,
        "paper_minutes": network["minutes"],
    }


def _listed(network: Network, mine: pd.DataFrame) -> pd.DataFrame:
    columns = ["seed", "score", "theta", "millions", "selected_at", "distinct", "seconds"]
    shown = mine[[*columns, "genotype"]]
    return shown.rename(columns={"millions": "million_params"}).assign(network=network["name"])


def _course(results: StoredResults, network: Network) -> pd.DataFrame:
    """Returns how large the best network so far is, as the searches go on."""
    mu = f"{network['mu']:g}"
    folder = results.folder / "swap_nas" / "darts" / network["task"] / f"swap_nas_mu{mu}_sigma{mu}"
    (folder,) = results.reading([folder])
    evaluations = stored_table(folder, EVALUATED)
    rows = []
    for length in LENGTHS:
        early = evaluations[evaluations["evaluation"] <= length]
        best = early.loc[early.groupby("seed")["fitness"].idxmax()]  # the first of equals
        millions = best["key"].map(lambda key: SIZE[network["task"]](key).params / 1e6)
        rows.append(
            {
                "network": network["name"],
                "evaluations": length,
                "theta": best["theta"].mean(),
                "million_params": millions.mean(),
                "smallest": millions.min(),
                "largest": millions.max(),
                "paper_million_params": network["params"],
            }
        )
    return pd.DataFrame(rows)


def _cell(network: Network, results: StoredResults) -> Drawn:
    """Draws the cell of the search whose size is nearest to the printed one."""
    mine = _searches(results, network)
    chosen = mine.loc[(mine["millions"] - network["params"]).abs().idxmin()]
    millions = mine["millions"]
    picture = figures.cells(
        cells_of(chosen["key"]),
        f"Figure {network['figure'].removeprefix('figure')} · {network['name']}",
        f"{chosen['millions']:.2f} million parameters (paper: {network['params']}), seed "
        f"{chosen['seed']}: of {len(mine)} searches with μ = σ = {network['mu']:g} the one nearest "
        f"to the printed size; all: {millions.min():.2f} to {millions.max():.2f}.",
    )
    return Drawn(figures={network["figure"]: picture})


for _one in published()["selected"]:
    artefact(_one["figure"], "figure")(partial(_cell, _one))

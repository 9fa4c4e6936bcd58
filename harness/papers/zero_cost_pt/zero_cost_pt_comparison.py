"""The numbers of the Zero-Cost-PT paper beside ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError, UnavailableError
from harness.papers.comparison import Row, absent, compared
from harness.papers.zero_cost_pt import search_tables
from harness.papers.zero_cost_pt.iterative_figure import iteration_rows
from harness.papers.zero_cost_pt.search_tables import TASKS, printed
from harness.results.folder import read_record
from harness.results.stored_table import stored_table
from harness.search.zero_cost_pt.operation_tables import from_rows, select, standing
from harness.search.zero_cost_pt.stored_searches import (
    SELECTED,
    ends,
    read_searches,
    search_folders,
)
from harness.stats.verdict import exact, of_mean, of_single
from harness.truth import nb201_truth

PAPER = "Zero-Cost-PT"
SEEDS = 4  # of a printed search
SEARCHES = "not searched yet: make zcpt-search zcpt-orders zcpt-proxies"


def zero_cost_pt_rows(results: StoredResults) -> Iterator[Row]:
    """Yields a row per printed number, and one per artefact that only training would make."""
    for rows, shows in (
        (_operations, "table 1"),
        (partial(iteration_rows, source=PAPER), "figure A1"),
        (_searches, "tables 2, 3"),
        (_methods, "table 4"),
        (distinct_rows, "section 4.2"),
        (_networks, "table 5"),
    ):
        try:
            yield from rows(results)
        except UnavailableError as error:  # no network: the other rows need none
            yield absent(PAPER, shows, "", "what rests on an outside file", str(error))
    for row in printed()["untrained"]:
        yield absent(PAPER, row["artefact"], "", row["paper"], f"needs training: {row['what']}")


def _operations(results: StoredResults) -> Iterator[Row]:
    """Yields table 1: error and rank of the cell that each score selects, edge by edge."""
    folder = results.folder / "operation_scores" / "nb201" / "cifar10"
    if not (folder / "table1.csv").is_file():
        yield absent(PAPER, "table 1", "nb201/cifar10", "all rows", "make operation-scores")
        return
    (folder,) = results.reading([folder])
    scores = stored_table(folder, "scores.csv")
    for row in stored_table(folder, "table1.csv").to_dict("records"):
        ours = row["scores"] == "ours"
        setting = f", {row['setting']}" if ours else ""
        spread = standings(scores, row["method"], row["setting"]) if ours else pd.DataFrame()
        for name, unit in (("error", "%"), ("rank", "of 15,625")):
            found = float(row[name])
            deviation = float(spread[name].std(ddof=1)) if ours else 0.0
            yield compared(
                PAPER,
                "table 1",
                f"{row['method']}: {row['scores']}{setting}",
                f"{name} of the selected cell, {unit}",
                paper=exact(row[f"paper_{name}"]),
                # It varies at most as the selections of the single supernets do.
                ours=of_single(found, deviation, len(spread)) if ours else exact(found),
                why=f"one selection by the mean scores of {len(spread)} random supernets"
                if ours
                else "computed from the authors' sheet, or from the scores that they print",
            )


def standings(scores: pd.DataFrame, method: str, setting: str) -> pd.DataFrame:
    """Returns ``error`` and ``rank`` of what the operation scores of every seed alone select."""
    runs = nb201_truth.load_runs()
    mine = scores[(scores["method"] == method) & (scores["setting"] == setting)]
    found = [standing(select(from_rows(rows)), runs) for _, rows in mine.dropna().groupby("seed")]
    return pd.DataFrame([asdict(one) for one in found if one], columns=["error", "rank"])


def _searches(results: StoredResults) -> Iterator[Row]:
    """Yields tables 2 and 3: the errors of what every stored search of their kinds selected."""
    try:
        found = search_tables.searches(results).to_dict("records")
    except DataError:
        yield absent(PAPER, "tables 2, 3", "nb201", "all rows", SEARCHES)
        return
    for table, by, others in (
        ("table 2", "order", {"proxy": "nwot"}),
        ("table 3", "proxy", {"order": "random"}),
    ):
        for name, errors in printed()[table.replace(" ", "")].items():
            mine = [
                search
                for search in found
                if search[by] == name and all(search[k] == v for k, v in others.items())
            ]
            if not mine:
                yield absent(PAPER, table, f"nb201, {name}", "test errors", SEARCHES)
            for search in mine:
                for task in TASKS:
                    where = f"nb201, {name}, {search['counting']}"
                    yield _error_row(table, where, task, errors[task], search)


def _error_row(
    table: str, where: str, task: str, paper: list[float], search: dict[Any, Any]
) -> Row:
    n, mean = search["search_seeds"], search[f"{task}_error"]
    return compared(
        PAPER,
        table,
        where,
        f"test error on {task}, %",
        paper=of_mean(paper[0], paper[1], SEEDS),
        # Seeds are the sample: training runs of one architecture say nothing of another search.
        ours=of_mean(mean, search[f"{task}_between"], n),
        why=f"N = {search['N']} of 10, V = {search['V']} of 100, {search['images']} of 256 images, "
        f"{n} of {SEEDS} seeds",
    )


def _methods(results: StoredResults) -> Iterator[Row]:
    """Yields table 4: random choice and NASWOT; its searches are those of tables 2 and 3."""
    accuracies = search_tables.accuracies()
    chance = search_tables.random_choice(accuracies)
    for task in TASKS:
        mean, deviation = printed()["table4"]["Random"][task]
        for name, key, value in (("mean", "error", mean), ("deviation", "std", deviation)):
            yield compared(
                PAPER,
                "table 4",
                "nb201, Random",
                f"{name} of the test error on {task}, %",
                paper=exact(value),
                ours=exact(chance[f"{task}_{key}"]),
                why="ours: all architectures, on CIFAR-10 all training runs, elsewhere means; the "
                "paper does not say how many were drawn",
            )
    for proxy in ("synflow", "nwot"):
        name = f"NASWOT({proxy})"
        try:
            ours = search_tables.naswot(results, proxy, accuracies)
        except DataError:
            yield absent(PAPER, "table 4", f"nb201, {name}", "test errors", "not scored yet")
            continue
        for task in TASKS:
            mean, deviation = printed()["table4"][name][task]
            # A run is the best of 1000 draws: so many thousands are stored, so many runs there are.
            runs = max(1, ours["architectures"] // search_tables.NASWOT_SIZE)
            yield compared(
                PAPER,
                "table 4",
                f"nb201, {name}",
                f"test error on {task}, %",
                paper=of_mean(mean, deviation, search_tables.NASWOT_RUNS),
                ours=of_mean(ours[f"{task}_error"], ours[f"{task}_std"], runs),
                why=f"{ours['setting']} instead of 500 draws of 1000",
            )


def distinct_rows(results: StoredResults) -> Iterator[Row]:
    """Yields section 4.2: how many architectures N iterations in random order meet."""
    said = printed()["distinct"]
    n = said["iterations"]
    quantity = f"distinct architectures of N = {n} iterations"
    where = (PAPER, "section 4.2", "nb201, random, nwot", quantity)
    try:
        folders = search_folders(results.folder)
    except DataError:
        yield absent(*where, SEARCHES)
        return
    longest = 0
    for folder in results.reading(folders):
        search = read_record(folder)["config"]["search"]
        if (search["order"], search["proxy"]) != ("random", "nwot"):
            continue
        met = ends("nb201", read_searches(folder).steps)
        iterations = int(met["iteration"].max()) + 1
        longest = max(longest, iterations)
        if iterations >= n:
            counts = met[met["iteration"] < n].groupby("seed")["key"].nunique()
            mean, deviation = float(counts.mean()), float(counts.std(ddof=1))
            yield compared(
                *where,
                paper=of_mean(said["architectures"], deviation, SEEDS),
                ours=of_mean(mean, deviation, len(counts)),
                why=f"{folder.name}, {len(counts)} seeds",
            )
    if longest < n:
        yield absent(*where, f"the longest stored search runs {longest} iterations")


def _networks(results: StoredResults) -> Iterator[Row]:
    """Yields table 5: the sizes of the networks found in the DARTS space."""
    for order, params in printed()["table5"].items():
        where = (PAPER, "table 5", f"darts, {order}", "million parameters of the found networks")
        root = results.folder / "zero_cost_pt" / "darts" / "cifar10"
        folders = sorted(
            path.parent for path in root.glob(f"[!.]*/{SELECTED}") if _is(path.parent, order)
        )
        if not folders:
            yield absent(*where, "not searched yet: make zcpt-darts")
        for folder in results.reading(folders):
            found = stored_table(folder, SELECTED)["params"] / 1e6
            mean, n, deviation = float(found.mean()), len(found), float(found.std(ddof=1))
            search = read_record(folder)["config"]["search"]
            yield compared(
                *where,
                paper=of_single(params, deviation, n),
                ours=of_mean(mean, deviation, n),
                why=f"N = {search['iterations']} of 10, V = {search['validations']} of 100, {n} of "
                f"{SEEDS} seeds",
            )
    yield absent(PAPER, "table 5", "darts", "0.018 and 0.17 GPU days", "measured on a 2080 Ti")


def _is(folder: Any, order: str) -> bool:
    search = read_record(folder)["config"]["search"]
    return (search["order"], search["proxy"]) == (order, "nwot")

"""Tables 2 to 4 of the Zero-Cost-PT paper: ours beside the printed ones.

Xiang et al. 2021, "Zero-Cost Proxies Meet Differentiable Architecture Search". Everything comes
from stored searches, scores and accuracies; nothing is scored here. Errors are percent.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import truth
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core import seeds
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.results.folder import read_record
from harness.search.zero_cost_pt.selected_errors import TRUTHS, summary
from harness.search.zero_cost_pt.stored_searches import read_searches, search_folders
from harness.search.zero_cost_pt.zero_cost_pt_settings import ORDERS
from harness.truth import nb201_truth

TASKS = tuple(TRUTHS)
PROXIES = ("fisher", "grad_norm", "grasp", "snip", "synflow", "nwot")
NASWOT_SIZE = 1000
NASWOT_RUNS = 500


@cache
def printed() -> dict[str, Any]:
    """Returns the numbers that the paper prints, ``printed.toml`` beside this file."""
    with Path(__file__).with_name("printed.toml").open("rb") as file:
        return tomllib.load(file)


def searches(results: StoredResults) -> pd.DataFrame:
    """Reads every stored search of NAS-Bench-201 that ``job=zero_cost_pt`` has written.

    Returns:
        One row per search: ``proxy``, ``order``, ``once_order``, ``counting``, ``images``, ``N``,
        ``V``, ``search_seeds``, ``distinct`` (architectures per seed, mean) and per task the mean
        error over what the seeds selected, its deviation and that between the seeds alone,
        ``<task>_error``, ``<task>_std`` and ``<task>_between``.

    Raises:
        DataError: If there is none, or one is broken.
    """
    folders = results.reading(search_folders(results.folder))
    return pd.DataFrame([_search(folder) for folder in folders])


def _search(folder: Path) -> dict[str, Any]:
    """Returns the row of one stored search."""
    record, selected = read_record(folder), read_searches(folder).selected
    settings = record["config"]["search"]
    row = {name: settings[name] for name in ("proxy", "order", "once_order", "counting")}
    row |= {
        "images": record["conditions"]["images"],
        "N": settings["iterations"],
        "V": settings["validations"],
        "search_seeds": len(selected),
        "distinct": float(selected["distinct"].mean()),
    }
    for errors in summary(selected).to_dict("records"):
        task = errors["task"]
        row |= {f"{task}_{name}": errors[name] for name in ("error", "std")}
        row[f"{task}_between"] = float(selected[f"{task}_error"].std(ddof=1))
    return row


def _beside(table: str, name: str, ours: dict[str, Any]) -> dict[str, Any]:
    """Returns ours and the printed numbers of one row, task by task; NaN where there are none."""
    row: dict[str, Any] = {}
    for task in TASKS:
        error, deviation = printed()[table][name][task]
        row |= {
            f"{task}_error": ours.get(f"{task}_error", float("nan")),
            f"{task}_std": ours.get(f"{task}_std", float("nan")),
            f"{task}_paper_error": error,
            f"{task}_paper_std": deviation,
        }
    return row


_WHOLE = ("images", "N", "V", "search_seeds")
_SETTING = ("counting", "once_order", "images", "N", "V", "search_seeds", "distinct")


def _compared(table: str, by: str, names: tuple[str, ...], found: pd.DataFrame) -> pd.DataFrame:
    """Returns a row per name and stored search of it; one without numbers of ours if none is."""
    rows = []
    for name in names:
        mine = found[found[by] == name].to_dict("records") or [{}]
        for search in mine:
            ours = {str(key): value for key, value in search.items()}
            setting = {key: ours.get(key) for key in _SETTING}
            rows.append({by: name, **setting, **_beside(table, name, ours)})
    return pd.DataFrame(rows).astype(dict.fromkeys(_WHOLE, "Int64"))


@artefact("zcpt_table2", "table")
def table2(results: StoredResults) -> Drawn:
    """Compares the orders in which edges are decided, with nwot."""
    found = searches(results)
    nwot = found[found["proxy"] == "nwot"]
    return Drawn({"zcpt_table2": _compared("table2", "order", ORDERS, nwot)})


@artefact("zcpt_table3", "table")
def table3(results: StoredResults) -> Drawn:
    """Compares proxies, with the random order."""
    found = searches(results)
    random = found[found["order"] == "random"]
    return Drawn({"zcpt_table3": _compared("table3", "proxy", PROXIES, random)})


@artefact("zcpt_table4", "table")
def table4(results: StoredResults) -> Drawn:
    """Compares Zero-Cost-PT with random choice, NASWOT and what takes training (printed only)."""
    known = accuracies()
    ours = {"Random": random_choice(known)}
    for proxy in ("synflow", "nwot"):
        ours[f"NASWOT({proxy})"] = naswot(results, proxy, known)
    rows = [
        {"method": name, "setting": ours.get(name, {}).get("setting", "not run here")}
        | _beside("table4", name, ours.get(name, {}))
        for name in printed()["table4"]
        if not name.startswith("Zero-Cost-PT")
    ]
    found = searches(results)
    for search in found[found["order"] == "random"].to_dict("records"):
        name = f"Zero-Cost-PT({search['proxy']})"
        if name in printed()["table4"]:
            counting = f", {search['counting']}" if search["proxy"] == "nwot" else ""
            setting = f"N={search['N']}, V={search['V']}, {search['search_seeds']} seeds{counting}"
            beside = _beside("table4", name, {str(k): v for k, v in search.items()})
            rows.append({"method": name, "setting": setting} | beside)
    return Drawn({"zcpt_table4": pd.DataFrame(rows), "zcpt_untrained": untrained()})


def untrained() -> pd.DataFrame:
    """Lists what the paper shows and only training would: the artefact, its cost, its numbers."""
    return pd.DataFrame(printed()["untrained"])


def random_choice(accuracies: dict[str, pd.Series[float]]) -> dict[str, Any]:
    """Returns mean and deviation of the error of all architectures: one drawn at random.

    On CIFAR-10 over all training runs, as the paper counts; elsewhere only means are recorded.
    """
    row: dict[str, Any] = {"setting": "all architectures"}
    for task in TASKS:
        values = accuracies[task]
        if task == "cifar10":
            values = nb201_truth.load_runs()["accuracy"]
        row |= {f"{task}_error": 100 - float(values.mean()), f"{task}_std": float(values.std())}
    return row


def naswot(
    results: StoredResults, proxy: str, accuracies: dict[str, pd.Series[float]]
) -> dict[str, Any]:
    """Returns what the best-scored of 1000 random architectures reaches, over 500 runs.

    Mellor et al. 2021, table 2. The runs draw with replacement from the stored scores, so they are
    a bootstrap: the closer to the paper, the more architectures are stored.

    Args:
        results: Stored scores of NAS-Bench-201 on CIFAR-10.
        proxy: Which proxy chooses.
        accuracies: Mean accuracy by key, of every task.

    Returns:
        Mean and deviation of the error over the runs, per task.

    Raises:
        DataError: If no score of the proxy is stored.
    """
    stored = results.column("nb201", "cifar10").scores
    rows = stored[(stored["proxy"] == proxy) & (stored["status"] == "ok")].reset_index(drop=True)
    if rows.empty:
        raise DataError(
            f"No {proxy} scores of nb201/cifar10 are stored; make them with `make study`."
        )
    random = seeds.numpy_stream("naswot", proxy)
    drawn = random.integers(len(rows), size=(NASWOT_RUNS, NASWOT_SIZE))
    best = drawn[np.arange(NASWOT_RUNS), rows["value"].to_numpy()[drawn].argmax(axis=1)]
    keys = rows["key"].iloc[best]
    n = rows["key"].nunique()
    row: dict[str, Any] = {"setting": f"bootstrap of {n} scored architectures", "architectures": n}
    for task in TASKS:
        errors = 100 - accuracies[task].loc[keys]
        row |= {f"{task}_error": float(errors.mean()), f"{task}_std": float(errors.std())}
    return row


def accuracies() -> dict[str, pd.Series[float]]:
    """Returns the mean test accuracy of every architecture by key, of every task."""
    return {
        task: truth.load("nb201", task, "test_mean").set_index("key")["value"] for task in TASKS
    }

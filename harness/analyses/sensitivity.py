"""How SWAP's correlation depends on images, repeats and inputs: one study per setting."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from harness import figures
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.core.printing import printed
from harness.results.finished import Result, find_results

STUDIES = "sensitivity"
"""The studies ``sensitivity/<name>`` are compared, as ``make sensitivity-scores`` leaves them."""
PROXIES = ("swap", "reg_swap")
COLUMNS = ("proxy", "n", "seeds", "spearman_mean", "spearman_low", "spearman_high")


@analysis("sensitivity", "How much do SWAP's conditions matter?", chapter=42)
def sensitivity(results: StoredResults) -> Drawn:
    """Compares the studies that differ in images, repeats, weights or inputs alone."""
    root = results.folder
    names = sorted(path.name for path in (root / STUDIES).glob("[!.]*") if path.is_dir())
    if not names:
        raise DataError(f"there is nothing in {root / STUDIES}; run make sensitivity-scores first.")
    stored = [one for name in names for one in find_results(root, f"{STUDIES}/{name}")]
    results.reading([one.folder for one in stored])
    table = pd.DataFrame([row for one in stored for row in _rows(one)])
    table = table.sort_values(["space", "task", "inputs", "init", "images"])
    picture = figures.sensitivity(
        table,
        "How SWAP's correlation depends on its conditions",
        f"Spearman's ρ with accuracy on {', '.join(sorted(set(table['space'])))}, n = "
        f"{table['n'].min()} architectures; bars: 95\N{NO-BREAK SPACE}% intervals from resampled "
        "architectures.",
    )
    return Drawn({"sensitivity": table}, {"sensitivity": picture}, _finding(table))


def _finding(table: pd.DataFrame) -> str:
    swap = table[table["proxy"] == "swap"].sort_values("spearman_mean")
    worst, best = swap.iloc[0], swap.iloc[-1]
    return (
        f"Over {len(swap)} conditions of images, inputs and weights, ρ of swap lies between "
        f"{printed(worst['spearman_mean'])} ({_condition(worst)}) and "
        f"{printed(best['spearman_mean'])} ({_condition(best)}), n = {swap['n'].min()}."
    )


def _condition(row: pd.Series[Any]) -> str:
    return f"{row['images']} images of {row['inputs']}, {row['init']} weights"


def _rows(result: Result) -> Iterator[dict[Hashable, Any]]:
    """Yields a row per proxy: the conditions and the correlation."""
    swap = result.record["resolved"]["settings"]["swap"]
    known: dict[Hashable, Any] = {
        "space": result.space,
        "task": result.task,
        "inputs": result.images,
        "init": swap["init"],
        "images": swap["images"],
        "repeats": swap["repeats"],
    }
    for row in result.summary.to_dict("records"):
        if row["proxy"] in PROXIES:
            yield known | {name: row[name] for name in COLUMNS}

"""``job=sensitivity``: how SWAP's correlation changes with images, repeats and inputs.

It reads results that differ in these alone, ``results/sensitivity/<name>/<space>/<task>/``, as
``make sensitivity-scores`` leaves them; no network is run.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd

from harness import figures, stats
from harness.config import Config
from harness.errors import HarnessError
from harness.jobs.base import jobs
from harness.results import Result, find_results

PROXIES = ("swap", "reg_swap")


def sensitivity(config: Config) -> Path:
    """Compares the settings that were scored.

    Returns:
        The folder ``results/analysis`` with ``sensitivity`` as tables and a picture.

    Raises:
        HarnessError: If there is nothing to compare.
    """
    root = Path(config.results)
    variants = sorted(path for path in (root / "sensitivity").glob("*") if path.is_dir())
    if not variants:
        raise HarnessError(
            f"There is nothing in {root / 'sensitivity'}; run make sensitivity-scores first."
        )
    rows = [
        row
        for variant in variants
        for result in find_results(variant)
        for row in _rows(result, config)
    ]
    table = pd.DataFrame(rows).sort_values(["space", "task", "inputs", "init", "images"])
    path = root / "analysis" / "sensitivity"
    figures.write_tables(table, path, float_format="%.3f")
    figures.save(
        figures.sensitivity(
            table,
            "How SWAP's correlation depends on its protocol",
            f"Spearman's ρ with accuracy on {', '.join(sorted(set(table['space'])))}, n = "
            f"{table['n'].min()} architectures; bars: 95 % bootstrap intervals.",
        ),
        path,
    )
    return path.parent


def _rows(result: Result, config: Config) -> list[dict[Hashable, Any]]:
    """Returns a row per proxy: the protocol and the correlation."""
    swap = result.record["resolved"]["settings"]["swap"]
    known: dict[Hashable, Any] = {
        "space": result.space,
        "task": result.task,
        "inputs": result.images,
        "init": swap["init"],
        "images": swap["images"],
        "repeats": swap["repeats"],
    }
    scores = result.scores[result.scores.proxy.isin(PROXIES)]
    columns = ["proxy", "n", "seeds", "spearman_mean", "spearman_low", "spearman_high"]
    table = stats.summary(scores, config.policy)[columns]
    return [{**known, **row} for row in table.to_dict("records")]


jobs.add("sensitivity", sensitivity)

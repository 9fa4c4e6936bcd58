"""How SWAP's correlation depends on images, repeats and inputs: one study per setting."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from harness import figures
from harness.config import Config
from harness.core.errors import HarnessError
from harness.results.derived import rests_on, write_record
from harness.results.finished import Result, find_results
from harness.results.folder import replacing
from harness.results.layout import study_of

PROXIES = ("swap", "reg_swap")
COLUMNS = ("proxy", "n", "seeds", "spearman_mean", "spearman_low", "spearman_high")


def compare_conditions(config: Config, studies: str) -> Path:
    """Compares the studies ``<studies>/<name>``.

    Returns:
        The folder with ``sensitivity`` as a table and a picture.

    Raises:
        HarnessError: If there is nothing to compare.
    """
    root = Path(config.results)
    names = sorted(path.name for path in (root / studies).glob("[!.]*") if path.is_dir())
    if not names:
        raise HarnessError(
            f"There is nothing in {root / studies}; run make sensitivity-scores first."
        )
    results = [one for name in names for one in find_results(root, f"{studies}/{name}")]
    table = pd.DataFrame([row for one in results for row in _rows(one)])
    table = table.sort_values(["space", "task", "inputs", "init", "images"])
    picture = figures.sensitivity(
        table,
        "How SWAP's correlation depends on its conditions",
        f"Spearman's ρ with accuracy on {', '.join(sorted(set(table['space'])))}, n = "
        f"{table['n'].min()} architectures; bars: 95\N{NO-BREAK SPACE}% intervals from resampled "
        "architectures.",
    )
    folder = root / study_of(config)
    with replacing(folder) as fresh:
        figures.write_tables(table, fresh / "sensitivity")
        figures.save(picture, fresh / "sensitivity")
        write_record(fresh, config, results=rests_on(root, (one.folder for one in results)))
    return folder


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

"""Where the numbers of a result come from, as the page tells it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness import truth
from harness.inputs.description import amount_in_words
from harness.report.columns import Column
from harness.report.other_results import link
from harness.report.page_tables import Cell, Table, table
from harness.results.layout import RECORD, SCORES


def overview(columns: Sequence[Column], page: Path) -> Table:
    """One row per result: how much was scored, against which accuracy, on which images.

    Args:
        columns: The results.
        page: Folder of the page, from which links to their files start.
    """
    rows = [
        {
            "column": column.label,
            "architectures": column.n,
            "seeds": column.seeds,
            "accuracy": f"{column.record['truth']['metric']}: {column.record['truth']['split']}",
            "epochs": str(column.record["truth"]["epochs"] or "several"),
            "images": _images(column),
            "commit": str(column.record["commit"] or "unknown")[:10],
            "record": _file(column, RECORD, page),
            "scores": _file(column, SCORES, page),
        }
        for column in columns
    ]
    return table(pd.DataFrame(rows), "What every column rests on", limit=None)


def _file(column: Column, name: str, page: Path) -> Cell:
    return Cell(name, link(column.folder / name, page), "text", link(column.folder / name, page))


def _images(column: Column) -> str:
    said = column.record["inputs"]
    notes = ["a stand-in"] if column.stand_in else []
    if "n" in said:  # older records do not say how many
        notes.append(amount_in_words(said["n"], said["of"], said["split"]))
    return f"{said['origin']} ({', '.join(notes)})" if notes else str(said["origin"])


def absent(columns: Sequence[Column]) -> list[str]:
    """Names the spaces and tasks that have ground truth but no result here."""
    known = truth.overview()[["space", "task"]].drop_duplicates()
    names = [f"{space}/{task}" for space, task in known.itertuples(index=False)]
    found = {column.name for column in columns}
    # The bundled digits exist to try things without a download, not to rank proxies.
    return [name for name in names if name not in found and not name.endswith("/digits")]

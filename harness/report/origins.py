"""Where the numbers of a result come from, as the page tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from harness import truth
from harness.inputs.description import amount_in_words
from harness.report.columns import Column
from harness.report.page_tables import Table, table


def overview(columns: Sequence[Column]) -> Table:
    """One row per result: how much was scored, against which accuracy, on which images."""
    rows = [
        {
            "column": column.label,
            "architectures": column.n,
            "seeds": column.seeds,
            "accuracy": f"{column.record['truth']['metric']}: {column.record['truth']['split']}",
            "epochs": str(column.record["truth"]["epochs"] or "several"),
            "images": _images(column),
            "commit": str(column.record["commit"] or "unknown")[:10],
        }
        for column in columns
    ]
    return table(pd.DataFrame(rows), "What every column rests on", limit=None)


def _images(column: Column) -> str:
    said = column.record["inputs"]
    notes = ["a stand-in"] if column.stand_in else []
    if "n" in said:  # older records do not say how many
        notes.append(amount_in_words(said["n"], said["of"], said["split"]))
    return f"{said['origin']} ({', '.join(notes)})" if notes else str(said["origin"])


def record(column: Column) -> Table:
    """The whole of ``run.json``, a row per entry."""
    rows = pd.DataFrame(_flat(column.record), columns=["entry", "value"])
    return table(rows, f"{column.name}/run.json", limit=None)


def absent(columns: Sequence[Column]) -> list[str]:
    """Names the spaces and tasks that have ground truth but no result here."""
    known = truth.overview()[["space", "task"]].drop_duplicates()
    names = [f"{space}/{task}" for space, task in known.itertuples(index=False)]
    found = {column.name for column in columns}
    # The bundled digits exist to try things without a download, not to rank proxies.
    return [name for name in names if name not in found and not name.endswith("/digits")]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{name}.{place}")
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value))
    else:
        yield name, "" if value is None else str(value)

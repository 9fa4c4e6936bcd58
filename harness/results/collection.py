"""Every score of the finished results as one data set, so that nobody has to make them again.

``results/scores/<space>-<task>.parquet`` holds a row per architecture, proxy, seed and conditions;
``run.json`` says what the conditions are and which results were gathered, ``README.md`` the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from harness.core.errors import HarnessError
from harness.core.types import FAILED
from harness.results import record
from harness.results.data_card import card
from harness.results.derived import rests_on
from harness.results.finished import Result
from harness.results.folder import replacing
from harness.results.layout import RECORD, SCORES, TRIALS
from harness.scoring.conditions import digest
from harness.scoring.shard import IDENTITY

FOLDER, CARD = "scores", "README.md"
COLUMNS = ["key", "proxy", "seed", "value", "status", "seconds", "conditions"]
OF_THE_RUN = ("truth", "sample", "undefined", "proxies")
"""Of a record's conditions, what is not a condition of each of its scores."""


def write(results: Path) -> Path:
    """Writes the data set of all finished results below a folder.

    Returns:
        Its folder, which replaces an older one.

    Raises:
        HarnessError: If there is no finished result.
        DataError: If one is damaged.
    """
    parts: dict[tuple[str, str], list[pd.DataFrame]] = {}
    known: dict[str, Any] = {}
    gathered = list(_finished(results))
    for result in gathered:
        own = _conditions(result)
        known |= own
        scores = result.scores
        rows = scores[scores["conditions"].isin(own)]
        parts.setdefault((result.space, result.task), []).append(rows)
    if not gathered:
        raise HarnessError(f"{results} holds no finished result to collect.")
    tables = {
        name: pd.concat(found, ignore_index=True)
        .sort_values("status", key=lambda status: status.isin(FAILED), kind="stable")
        .drop_duplicates(IDENTITY)  # a score beats a failure of another result
        .sort_values(["conditions", "proxy", "seed", "key"], ignore_index=True)[COLUMNS]
        for name, found in sorted(parts.items())
    }
    folder = results / FOLDER
    with replacing(folder) as fresh:
        for (space, task), table in tables.items():
            path = fresh / file_of(space, task)
            table.to_parquet(path, index=False, compression="zstd", compression_level=19)
        (fresh / CARD).write_text(card(tables, known), encoding="utf-8")
        rests = rests_on(results, (one.folder for one in gathered))
        record.write(fresh, {"results": rests, "fingerprints": known})
    return folder


def _finished(results: Path) -> Iterator[Result]:
    for path in sorted(results.rglob(SCORES)):
        study, *further = path.relative_to(results).parts
        hidden = any(part.startswith(".") for part in (study, *further))
        if not hidden and study not in TRIALS and (path.parent / RECORD).is_file():
            yield Result(path.parent.parent.name, path.parent.name, path.parent)


def _conditions(result: Result) -> dict[str, Any]:
    """Returns what the fingerprints of a result's scores mean."""
    recorded = result.record["conditions"]
    shared = {name: value for name, value in recorded.items() if name not in OF_THE_RUN}
    each = [shared | own for own in recorded["proxies"].values()]
    return {digest(one): one for one in each}


def file_of(space: str, task: str) -> str:
    """Returns the name of the file that holds the scores of a space and task."""
    return f"{space}-{task}.parquet"

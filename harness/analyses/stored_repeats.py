"""The scores that stored studies hold twice: of the same architecture, drawn anew."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.results.finished import Result, of_any_study
from harness.stats.ranks import resolve_undefined

NEEDED = ["proxy", "settings", "images", "seed", "key", "value", "truth"]


def scores_of_any_study(results: StoredResults, space: str, task: str) -> pd.DataFrame:
    """Returns what every study holds of a space and task, with what the scores depend on.

    Returns:
        The columns of ``NEEDED`` and ``study``: ``settings`` names everything but the images and
        the seed that decides a score, ``images`` the files that were drawn from.
    """
    parts = [
        part
        for one in of_any_study(results.folder, space, task)
        if (part := _scores(one, results)) is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=NEEDED)


def settings_of(record: dict[str, Any], proxy: str) -> str:
    """Returns what decides a proxy's score beside the images, the seed and the machine."""
    conditions = record["conditions"]
    images = {name: said for name, said in conditions["inputs"].items() if name != "sha256"}
    return json.dumps(
        [conditions["proxies"][proxy], conditions["batch_size"], images], sort_keys=True
    )


def _scores(one: Result, results: StoredResults) -> pd.DataFrame | None:
    """Returns the rows of one result; None for one that an older version left or that is broken."""
    try:
        record = one.record
        settings = {name: settings_of(record, name) for name in record["resolved"]["proxies"]}
        images = str(record["conditions"]["inputs"]["sha256"])
        rows = one.scores.assign(
            settings=one.scores["proxy"].map(settings),
            images=images,
            value=resolve_undefined(one.scores["value"], one.scores["status"]),
        )
    except (DataError, KeyError, TypeError):
        return None
    results.reading([one.folder])
    study = one.folder.parent.parent.relative_to(results.folder).as_posix()
    return rows.dropna(subset=["settings", "value"])[NEEDED].assign(study=study)

"""``job=list``."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby

from harness.config import Config
from harness.core.tabular import check_format, print_table, write_csv
from harness.jobs.job import job, jobs


@job(name="list", one_space=False)
def list_all(config: Config, *, format: str = "table") -> None:
    """What can be had here, and how? ``space=`` and ``task=`` narrow it.

    Args:
        config: Space and task.
        format: ``table``, or ``csv`` on the standard output with nothing beside it.
    """
    from harness.overview import overview

    check_format(format)
    known = {one.name: one.summary for one in jobs.values()}
    entries = overview(known, config.space, config.task)
    if format == "csv":
        write_csv([asdict(entry) for entry in entries])
        return
    for kind, group in groupby(entries, key=lambda entry: entry.kind):
        rows = [{key: cell for key, cell in asdict(one).items() if key != "kind"} for one in group]
        print_table(kind, rows)

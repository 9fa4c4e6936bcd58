"""``job=collect``: every score of the finished results as one data set."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def collect(config: Config) -> Path:
    """Gathers the scores of all finished results into one data set, ``results/scores``.

    Returns:
        Its folder: a parquet file per space and task, the conditions, and a README.
    """
    from harness.results import collection

    return collection.write(Path(config.results))

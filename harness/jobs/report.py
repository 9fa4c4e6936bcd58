"""``job=report``: one HTML page of all finished results, readable without running anything."""

from __future__ import annotations

from pathlib import Path

import harness
from harness import provenance
from harness.config import Config
from harness.jobs.base import jobs
from harness.report import Origin, write_report


def report(config: Config) -> Path:
    """Writes ``<results>/report/index.html``; nothing is scored and nothing is downloaded.

    Returns:
        The page.

    Raises:
        DataError: If there is no finished result, or one cannot be read.
    """
    return write_report(Path(config.results), Origin(harness.__version__, provenance.commit()))


jobs.add("report", report)

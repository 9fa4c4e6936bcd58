"""``job=report``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def report(config: Config) -> Path:
    """Makes one HTML page of all finished results, readable without running anything.

    Returns:
        The page, ``results/<study>/index.html``.
    """
    from harness.report.page_file import write_page

    return write_page(config)

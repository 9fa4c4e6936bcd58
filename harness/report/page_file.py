"""Writes the report: one page."""

from __future__ import annotations

from pathlib import Path

import harness
from harness.config import Config
from harness.core.machine import commit
from harness.report.columns import find_columns
from harness.report.page import Origin, render
from harness.results.derived import rests_on, write_record
from harness.results.folder import replacing
from harness.results.layout import study_of


def write_page(config: Config) -> Path:
    """Writes the report of all finished results; nothing is scored and nothing is downloaded.

    The page is one file that needs no network; it shows the pictures of other results and links
    their files where these lie beside it.

    Returns:
        The page.

    Raises:
        DataError: If there is no result, or one cannot be read.
    """
    results = Path(config.results)
    folder = results / study_of(config)
    columns = find_columns(results)
    page = render(columns, results, folder, Origin(harness.__version__, commit()))
    with replacing(folder) as fresh:
        (fresh / "index.html").write_text(page, encoding="utf-8", newline="\n")
        write_record(fresh, config, results=rests_on(results, (one.folder for one in columns)))
    return folder / "index.html"

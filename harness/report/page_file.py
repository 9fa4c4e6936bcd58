"""Writes the report: the page and the plotting library beside it."""

from __future__ import annotations

from pathlib import Path

from plotly.offline import get_plotlyjs

import harness
from harness.config import Config
from harness.core.machine import commit
from harness.report.columns import find_columns
from harness.report.page import PLOTLY, Origin, render
from harness.results.derived import rests_on, write_record
from harness.results.folder import replacing
from harness.results.layout import study_of


def write_page(config: Config) -> Path:
    """Writes the report of all finished results; nothing is scored and nothing is downloaded.

    The page needs no network and loads nothing from outside its own folder but the pictures of
    other results. The library is a file of its own: it is three times as large as the page and
    never changes.

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
        for name, text in ((PLOTLY, get_plotlyjs()), ("index.html", page)):
            (fresh / name).write_text(text, encoding="utf-8", newline="\n")
        write_record(fresh, config, results=rests_on(results, (one.folder for one in columns)))
    return folder / "index.html"

"""``job=analysis``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.jobs.job import job
from harness.results.layout import MAIN


@job(one_space=False)
def analysis(
    config: Config,
    analysis: Any = "all",
    formats: Any = ("csv", "png"),
    bare: bool = False,
    of: str = MAIN,
) -> Path:
    """Says of stored results what correlations alone do not; no network is run.

    What can be answered is answered; what lacks stored results is named at the end.

    Args:
        config: What every job shares.
        analysis: An analysis, ``all``, or a list.
        formats: ``csv``, ``md`` and ``tex`` of tables, ``png``, ``svg`` and ``pdf`` of pictures.
        bare: Pictures without a heading, for a paper that has its captions.
        of: The study whose results are analysed, where an analysis has no study of its own.

    Returns:
        The folder ``results/<study>``.
    """
    from harness.analyses.question import analyses
    from harness.artefacts.drawing import draw

    return draw(config, analyses, analysis, formats, of, bare=bare)

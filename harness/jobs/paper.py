"""``job=paper``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.jobs.job import job
from harness.results.layout import MAIN


@job(one_space=False)
def paper(
    config: Config,
    paper: Any = "all",
    *,
    formats: Any = ("csv", "png"),
    bare: bool = False,
    ranks: bool = False,
    of: str = MAIN,
) -> Path:
    """Draws the papers' figures and tables from stored results; nothing is scored.

    What can be drawn is drawn; what lacks stored results is named at the end.

    Args:
        config: What every job shares.
        paper: An artefact, ``figures``, ``tables``, ``all``, or a list of these.
        formats: ``csv``, ``md`` and ``tex`` of tables, ``png``, ``svg`` and ``pdf`` of pictures.
        bare: Pictures without a heading, for a paper that has its captions.
        ranks: Scatter plots with ranks on both axes, ties as their mean.
        of: The study whose scores are shown, where an artefact has no study of its own.

    Returns:
        The folder ``results/<study>``.
    """
    from harness.artefacts.drawing import draw
    from harness.papers.paper_artefacts import artefacts

    return draw(config, artefacts, paper, formats, of, bare=bare, ranks=ranks)

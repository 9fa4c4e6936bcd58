"""``job=correlate``, the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config import Config
from harness.core.sections import Settings
from harness.jobs.job import job
from harness.results.layout import MAIN
from harness.scoring.scope import Scope


@job(study=MAIN)
def correlate(
    config: Config,
    scope: Scope,
    settings: Settings,
    *,
    formats: Any = "png",
    bare: bool = False,
    ranks: bool = False,
) -> Path:
    """How well does each proxy rank the architectures of a space?

    Scores what is missing, joins it with the ground truth and writes tables and pictures. What the
    folder holds already, of other seeds, proxies or architectures under the same conditions, adds
    up.

    Args:
        config: What every job shares.
        scope: Which architectures, by which proxies.
        settings: Those of passes and proxies.
        formats: ``png``, ``svg``, ``pdf`` or a list, of pictures; a PNG is always there.
        bare: Pictures without a heading, for a paper that has its captions.
        ranks: Scatter plots with ranks on both axes, ties as their mean.

    Returns:
        The folder ``results/<study>/<space>/<task>``.

    Raises:
        NothingScoredError: If every score failed; the result is there and says why.
    """
    from harness import evaluation
    from harness.results.pictures import Pictures
    from harness.scoring.outcome import refuse_failure

    pictures = Pictures(formats, bare, ranks)
    found = evaluation.evaluate(config, scope, settings)
    folder = evaluation.write(found, config, scope, pictures)
    refuse_failure(found.scores[["status", "message"]].to_dict("records"))
    return folder

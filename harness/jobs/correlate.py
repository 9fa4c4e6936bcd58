"""``job=correlate``, the main job."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.core.sections import Settings
from harness.jobs.job import job
from harness.results.layout import MAIN
from harness.scoring.scope import Scope


@job(study=MAIN)
def correlate(config: Config, scope: Scope, settings: Settings) -> Path:
    """How well does each proxy rank the architectures of a space?

    Scores what is missing, joins it with the ground truth and writes tables and pictures. What the
    folder holds already, of other seeds, proxies or architectures under the same conditions, adds
    up.

    Returns:
        The folder ``results/<study>/<space>/<task>``.

    Raises:
        NothingScoredError: If every score failed; the result is there and says why.
    """
    from harness import evaluation
    from harness.scoring.outcome import refuse_failure

    found = evaluation.evaluate(config, scope, settings)
    folder = evaluation.write(found, config, scope)
    refuse_failure(found.scores[["status", "message"]].to_dict("records"))
    return folder

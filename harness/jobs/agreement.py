"""``job=agreement``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job
from harness.results.layout import MAIN


@job()
def agreement(config: Config, of: str = MAIN) -> Path:
    """Compares stored scores with the published ones, architecture by architecture.

    Weights and minibatches of the published scores are not known, so only params and flops can be
    equal.

    Args:
        config: What every job shares.
        of: The study whose scores are compared.

    Returns:
        The folder ``results/<study>/<space>/<task>`` with ``agreement.csv``.
    """
    from harness.analyses.published_beside_ours import compare_published

    return compare_published(config, of)

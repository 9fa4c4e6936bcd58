"""``job=sensitivity``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(study="analysis/sensitivity", one_space=False)
def sensitivity(config: Config, of: str = "sensitivity") -> Path:
    """Tells how SWAP's correlation changes with images, repeats and inputs; no network is run.

    Args:
        config: What every job shares.
        of: The studies ``<of>/<name>`` are compared, as ``make sensitivity-scores`` leaves them.

    Returns:
        The folder ``results/<study>`` with ``sensitivity`` as a table and a picture.
    """
    from harness.analyses.varied_conditions import compare_conditions

    return compare_conditions(config, of)

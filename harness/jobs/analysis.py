"""``job=analysis``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job
from harness.results.layout import MAIN


@job(study="analysis/proxies", one_space=False)
def analysis(config: Config, of: str = MAIN) -> Path:
    """Says of stored results what correlations alone do not; no network is run.

    Does a proxy know more than size? Is one better than another, on the same architectures? How
    accurate are its top architectures?

    Args:
        config: What every job shares.
        of: The study whose results are analysed.

    Returns:
        The folder ``results/<study>`` with ``beyond_size``, ``differences`` and ``top_k``.
    """
    from harness.analyses.compared_proxies import compare_proxies

    return compare_proxies(config, of)

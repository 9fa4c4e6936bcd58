"""``job=zero_cost_pt``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job
from harness.search.zero_cost_pt.zero_cost_pt_settings import ZeroCostPtSettings


@job()
def zero_cost_pt(config: Config, search: ZeroCostPtSettings) -> Path:
    """Searches an untrained supernet with Zero-Cost-PT, once per seed.

    Decides the supernet's edges one after the other, compares what the iterations ended with, and
    looks up what that reaches on NAS-Bench-201. More seeds under the same conditions add up.

    Returns:
        The folder ``results/zero_cost_pt/<space>/<task>/<proxy>-<counting>-<order>``.
    """
    from harness.search.zero_cost_pt.search_run import search_supernet

    return search_supernet(config, search)

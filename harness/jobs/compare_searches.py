"""``job=compare_searches``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.core.sections import Settings
from harness.jobs.job import job
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings


@job(study="swap_nas")
def compare_searches(
    config: Config, search: SwapNasSettings, settings: Settings, objectives: list[str] | None = None
) -> Path:
    """Compares SWAP-NAS with random search, regularised evolution, and its own with other scores.

    When does the score, and not the size, decide what is found? Where not every accuracy is known,
    the scores themselves are compared. ``search.method`` and ``search.objective`` have no effect
    here.

    Args:
        config: What every job shares.
        search: How to search.
        settings: Those of passes and proxies.
        objectives: What SWAP-NAS's evolution maximises besides ``reg_swap``: proxies, ``truth``;
            null: swap, nwot, params, flops and truth where every accuracy is known.

    Returns:
        The folder ``results/<study>/<space>/<task>/comparison``; μ and σ that were chosen by hand
        are part of its name.
    """
    from harness.search.swap_nas.method_comparison import compare_methods

    return compare_methods(config, search, settings, objectives)

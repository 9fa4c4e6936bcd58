"""``job=compare_searches``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job
from harness.passes.settings import SwapSettings
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings


@job(study="swap_nas")
def compare_searches(config: Config, search: SwapNasSettings, swap: SwapSettings) -> Path:
    """Compares SWAP-NAS with random search and regularised evolution, over the same seeds.

    Where not every accuracy is known, the scores themselves are compared. ``search.method`` has no
    effect here.

    Returns:
        The folder ``results/<study>/<space>/<task>/comparison``; μ and σ that were chosen by hand
        are part of its name.
    """
    from harness.search.swap_nas.method_comparison import compare_methods

    return compare_methods(config, search, swap)

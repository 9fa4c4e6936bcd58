"""``job=size_control``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.core.sections import Settings
from harness.jobs.job import job
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings


@job(study="swap_nas")
def size_control(config: Config, search: SwapNasSettings, settings: Settings) -> Path:
    """Searches DARTS with six values of μ = σ: do they control the size of what is selected?

    ``search.objective``, ``search.mu`` and ``search.sigma`` have no effect here.

    Returns:
        The folder ``results/<study>/darts/<task>/size_control``.
    """
    from harness.search.swap_nas.size_steps import search_with_steps

    return search_with_steps(config, search, settings)

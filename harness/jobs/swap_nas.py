"""``job=swap_nas``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.core.sections import Settings
from harness.jobs.job import job
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings


@job(study="swap_nas")
def swap_nas(config: Config, search: SwapNasSettings, settings: Settings) -> Path:
    """Searches a space with SWAP-NAS or a baseline, once per seed.

    More seeds under the same conditions add up.

    Returns:
        The folder ``results/<study>/<space>/<task>/<method>``; μ and σ that were chosen by hand
        are part of its name.
    """
    from harness.search.swap_nas.single_method import search_with

    return search_with(config, search, settings)

"""Searches with one method, once per seed: what ``job=swap_nas`` does."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console

from harness.config import Config
from harness.core.sections import Settings
from harness.results.folder import replacing
from harness.results.layout import result_path
from harness.results.terminal import plain_table
from harness.search.swap_nas.search_result import result_of
from harness.search.swap_nas.searches import searches_of
from harness.search.swap_nas.swap_nas_settings import SwapNasSettings

SHOWN = (
    *("seed", "score", "theta", "params", "params_cifar10", "params_imagenet"),
    *("truth", "regret", "rank", "evaluations", "seconds"),
)


def search_with(config: Config, search: SwapNasSettings, settings: Settings) -> Path:
    """Runs what is missing of one search per seed and writes what was evaluated and selected."""
    searches = searches_of(config, search, settings)
    result = result_of(searches, config, result_path(config, searches[0].name))
    if result.grew:
        from harness.search.swap_nas.search_pictures import draw

        with replacing(result.folder) as fresh:
            draw(result, fresh)
            result.write(fresh, evaluations=True)
    _show(result.selected, f"{search.method} on {config.space} · {config.task}")
    return result.folder


def _show(selected: pd.DataFrame, title: str) -> None:
    shown = selected[[column for column in SHOWN if column in selected]]
    Console().print(plain_table(shown, title=title, float_format="%.3f"))
    for key in selected.get("genotype", selected.key):
        Console().print(key, highlight=False, markup=False, soft_wrap=True)

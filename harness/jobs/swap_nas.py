"""``job=swap_nas``: searches a space with SWAP-NAS or a baseline, once per seed.

python -m harness job=swap_nas space=darts inputs=cifar10 search.mu=0.9 search.sigma=0.9 seed=0..4
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console

from harness import figures
from harness.config import Config
from harness.files import make_writable
from harness.jobs.base import jobs
from harness.runs.search_results import write_results
from harness.runs.searches import run_searches, searches_of

SHOWN = (
    *("seed", "score", "theta", "params", "params_cifar10", "params_imagenet"),
    *("truth", "regret", "rank", "evaluations", "seconds"),
)


def swap_nas(config: Config) -> Path:
    """Runs one search per seed and writes what was evaluated and found.

    Returns:
        The folder ``results/swap_nas/<space>/<task>/<method>``; μ and σ that were chosen by hand
        are part of its name.
    """
    items = searches_of(config)
    folder = items[0].folder / items[0].name
    make_writable(folder)
    evaluations = run_searches(items, config).assign(method=config.search.method)
    found = write_results(folder, items, evaluations, config)
    _print(found, f"{config.search.method} on {config.space} · {config.task}")
    return folder


def _print(found: pd.DataFrame, title: str) -> None:
    shown = found[[column for column in SHOWN if column in found]]
    Console().print(figures.plain_table(shown, title=title, float_format="%.3f"))
    for key in found.get("genotype", found.key):
        Console().print(key, highlight=False, markup=False, soft_wrap=True)


jobs.add("swap_nas", swap_nas)

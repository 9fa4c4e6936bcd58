"""``job=agreement``: do our scores agree with the published ones, architecture by architecture?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console

from harness import figures, truth
from harness.config import Config
from harness.errors import HarnessError
from harness.jobs.base import jobs
from harness.jobs.correlate import score_sample
from harness.stats import agreement as compared


def agreement(config: Config) -> Path:
    """Scores a sample and compares it with the published scores of the same architectures.

    Weights and minibatches of the published scores are not known, so only params and flops can be
    equal.

    Returns:
        The folder with ``agreement.csv``, ``.md`` and ``.tex``.
    """
    published = truth.load_published(config.space, config.task)
    scored = score_sample(config)
    table = compared(scored.joined, published)
    if table.empty:
        raise HarnessError(
            f"None of the sampled architectures or proxies has a published score on {config.task}; "
            "use proxies=suite_zero and a larger n."
        )
    figures.write_tables(table, scored.folder / "agreement", float_format="%.3f")
    _print(table, title=f"{config.space} · {config.task}: our scores against the published ones")
    return scored.folder


def _print(table: pd.DataFrame, title: str) -> None:
    Console().print(figures.plain_table(table, title=title, float_format="%.3f"))


jobs.add("agreement", agreement)

"""``job=analysis``: what the correlations alone do not say, from stored results.

No network is run. Written to ``results/analysis/`` are ``beyond_size`` (does a proxy know more than
size?), ``differences`` (is one proxy better than another, on the same architectures?) and ``picks``
(how good are a proxy's favourites?), each as a table and a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness import figures, stats
from harness.config import Config
from harness.errors import HarnessError
from harness.jobs.base import jobs
from harness.results import Result, find_results
from harness.runs.work import console

REFERENCE = "reg_swap"
SEEDS = "Architectures resampled 1000 times per seed; 95 % intervals."


def analysis(config: Config) -> Path:
    """Analyses every result in ``results=``.

    Returns:
        The folder ``results/analysis``.
    """
    folder = Path(config.results) / "analysis"
    results = find_results(config.results)
    joints = {result.name: _joint(result, config) for result in results}
    beyond = _table(joints, stats.beyond_size)
    better = _table(joints, lambda joined: stats.differences(joined, REFERENCE))
    picked = _table(joints, stats.picks)
    shares = picked.pivot_table(index="proxy", columns="column", values="precision", sort=False)
    drawn = {
        "beyond_size": figures.intervals(
            beyond,
            "partial",
            "What a proxy knows beyond size",
            "Filled: Spearman's ρ with accuracy, ranks of params and flops held fixed. Hollow: ρ. "
            + SEEDS,
            label="partial rank correlation",
            other="spearman",
        ),
        "differences": figures.intervals(
            better,
            "difference",
            f"How much better {REFERENCE} ranks",
            f"ρ of {REFERENCE} minus ρ of the proxy, on the same architectures. " + SEEDS,
            label="difference of Spearman's ρ",
        ),
        "picks": figures.heatmap(
            shares,
            title="Share of the best-scored tenth that is among the most accurate tenth",
            subtitle="0.10 by chance; mean over seeds.",
            label="precision",
        ),
    }
    for name, table in (("beyond_size", beyond), ("differences", better), ("picks", picked)):
        figures.write_tables(table, folder / name, float_format="%.3f")
        figures.save(drawn[name], folder / name)
    return folder


def _joint(result: Result, config: Config) -> stats.Joint:
    return stats.joint(result.scores, config.policy)


def _table(
    joints: dict[str, stats.Joint], analyse: Callable[[stats.Joint], pd.DataFrame]
) -> pd.DataFrame:
    """Stacks one analysis of every result; says which results lack a proxy that it needs."""
    parts = []
    for name, joined in joints.items():
        try:
            part = analyse(joined)
        except HarnessError as error:
            console.print(f"{name}: left out. {error}", highlight=False, soft_wrap=True)
            continue
        part.insert(0, "column", name)
        parts.append(part)
    if not parts:
        raise HarnessError("No result has the proxies that the analysis needs; see above.")
    return pd.concat(parts, ignore_index=True)


jobs.add("analysis", analysis)

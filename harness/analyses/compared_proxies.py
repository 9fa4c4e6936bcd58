"""What the correlations alone do not say: knowledge beyond size, paired differences, the top k."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness import figures, stats
from harness.config import Config
from harness.core.errors import HarnessError
from harness.executors.progress import console
from harness.results.derived import rests_on, write_record
from harness.results.finished import find_results
from harness.results.folder import replacing
from harness.results.layout import study_of

REFERENCE = "reg_swap"
RESAMPLED = "95\N{NO-BREAK SPACE}% intervals from architectures resampled 1000 times."


def compare_proxies(config: Config, study: str) -> Path:
    """Analyses every result of a study.

    Returns:
        The folder with ``beyond_size``, ``differences`` and ``top_k``, each as a table and a
        picture.

    Raises:
        HarnessError: If there are no results, or none has the proxies that an analysis needs.
    """
    results = find_results(config.results, study)
    joints = {
        one.name: stats.joint(one.scores, one.record["conditions"]["undefined"]) for one in results
    }
    tables = {
        "beyond_size": _table(joints, stats.beyond_size),
        "differences": _table(joints, lambda joined: stats.differences(joined, REFERENCE)),
        "top_k": _table(joints, stats.top_k),
    }
    folder = Path(config.results, study_of(config))
    with replacing(folder) as fresh:
        for name, picture in _pictures(tables).items():
            figures.write_tables(tables[name], fresh / name)
            figures.save(picture, fresh / name)
        write_record(
            fresh, config, results=rests_on(config.results, (one.folder for one in results))
        )
    return folder


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


def _pictures(tables: dict[str, pd.DataFrame]) -> dict[str, figures.Figure]:
    shares = tables["top_k"].pivot_table(
        index="proxy", columns="column", values="precision", sort=False
    )
    return {
        "beyond_size": figures.intervals(
            tables["beyond_size"],
            "partial",
            "What a proxy knows beyond size",
            "Filled: Spearman's ρ with accuracy, ranks of params and flops held fixed. Hollow: ρ. "
            + RESAMPLED,
            label="partial rank correlation",
            other="spearman",
        ),
        "differences": figures.intervals(
            tables["differences"],
            "difference",
            f"How much better {REFERENCE} ranks",
            f"ρ of {REFERENCE} minus ρ of the proxy, on the same architectures. " + RESAMPLED,
            label="difference of Spearman's ρ",
        ),
        "top_k": figures.heatmap(
            shares,
            title="Share of the best-scored tenth that is among the most accurate tenth",
            subtitle="0.10 by chance; mean over seeds.",
            label="precision",
        ),
    }

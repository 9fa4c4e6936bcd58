"""The pictures of one run of the main job: the heat map and the scatter plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from harness.core.machine import device_of, in_words
from harness.figures import style
from harness.figures.heatmap import correlation_heatmap
from harness.figures.scatter import scatter
from harness.inputs.description import inputs_in_words
from harness.proxies.contract import seeing_truth
from harness.results.layout import HEATMAP
from harness.results.noise_ceiling import noise_ceiling
from harness.results.pictures import Pictures
from harness.results.terminal import notes


def draw(
    folder: Path,
    scores: pd.DataFrame,
    correlations: pd.DataFrame,
    summary: pd.DataFrame,
    pictures: Pictures,
    *,
    truth: Mapping[Any, Any],
    inputs: Mapping[str, Any],
) -> None:
    """Draws the heat map and the scatter plots of one space and task.

    Args:
        folder: Where to.
        scores: One row per draw, proxy and seed.
        correlations: The result of ``stats.correlations`` for them.
        summary: The result of ``stats.summary`` for them.
        pictures: How.
        truth: What the record of the result says of the ground truth.
        inputs: What it says of the images.

    Raises:
        HarnessError: If a format is unknown.
    """
    title = f"{truth['space']} · {truth['task']}"
    about = _subtitle(scores, truth, inputs, summary)
    ceiling = noise_ceiling(truth["space"], truth["task"], truth["variant"])
    accuracy = truth["metric"].replace(", percent", " (%)")
    starred = seeing_truth(summary["proxy"])
    with style.drawing(bare=pictures.bare, ranks=pictures.ranks):
        drawn = {
            HEATMAP: correlation_heatmap(
                correlations, summary, title, about, ceiling=ceiling, starred=starred
            ),
            "scatter": scatter(
                scores, summary, title, about, truth_label=accuracy, ceiling=ceiling
            ),
        }
        for name, figure in drawn.items():
            style.save(figure, folder / name, pictures.suffixes)


def _subtitle(
    joined: pd.DataFrame, truth: Mapping[Any, Any], inputs: Mapping[str, Any], summary: pd.DataFrame
) -> str:
    """Says what every number of a picture rests on: n, which accuracy, which images."""
    said = [
        f"n = {draws_in_words(joined)} per seed.",
        *_devices(joined),
        f"Truth: {truth['metric']}, {truth['split']} ({truth['variant']}).",
        inputs_in_words(inputs),
        *notes(summary),
    ]
    return " ".join(said)


def draws_in_words(joined: pd.DataFrame) -> str:
    """Says how many architectures a proxy ranks, and how many draws of them, if some were again."""
    by_seed = joined.groupby(["proxy", "seed"]).key.agg(["size", "nunique"]).max()
    if by_seed["size"] > by_seed["nunique"]:
        return f"{by_seed['size']} draws of {by_seed['nunique']} different architectures"
    return f"{by_seed['nunique']} architectures"


def _devices(joined: pd.DataFrame) -> list[str]:
    """Says how many scores are whose, where several kinds of device made them."""
    counts = Counter(map(device_of, filter(None, joined.machine)))
    if len(counts) < 2:
        return []
    shares = " and ".join(f"{n:,} on a {in_words(kind)}" for kind, n in counts.most_common())
    return [f"Scored {shares}."]

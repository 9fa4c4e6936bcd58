"""Three sentences below the closing table: what ρ means here, how sure it is, what to type next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.config import Config
from harness.core.printing import printed
from harness.stats.bootstrap import FEWEST

# What a published column has.
ARCHITECTURES, SEEDS = 1000, 5


def sentences(
    summary: pd.DataFrame,
    config: Config,
    inputs: Mapping[str, Any],
    truth: Mapping[Any, Any],
    *,
    own_images: bool,
) -> list[str]:
    """Explains a result to somebody who sees one for the first time.

    Args:
        summary: The result of ``stats.summary``, highest ρ first.
        config: The run.
        inputs: What the record of the result says of its images.
        truth: What it says of the ground truth.
        own_images: Whether the task's own images are here or can be downloaded.

    Returns:
        Three sentences; none where no proxy has a correlation.
    """
    best = summary.iloc[0]
    if np.isnan(best.spearman_mean):
        return []
    meaning = (
        "ρ compares the architectures' order by a proxy's score with that by the ground truth "
        f"({truth['metric']}): 1 is the same order, 0 no relation, −1 the reverse; the highest "
        f"here is {printed(best.spearman_mean)}, of {best.proxy}."
    )
    return [meaning, _certainty(best, inputs), _next(best, config, inputs, truth, own_images)]


def _certainty(best: Any, inputs: Mapping[str, Any]) -> str:
    drawn = f"{best.n} architectures"
    if best.seeds > 1:
        drawn += f" of each of {best.seeds} seeds"
    if best.n < FEWEST or np.isnan(best.spearman_low):
        sure = f"It rests on {drawn}, too few for an interval"
    else:
        low, high = printed(best.spearman_low), printed(best.spearman_high)
        sure = f"It rests on {drawn}: over other draws its 95 % interval is {low} to {high}"
    if not inputs["stand_in"]:
        return f"{sure}."
    labels = " with random labels" if inputs["labels"] == "random" else ""
    return f"{sure}, on inputs that stand in for the task's own ({inputs['source']}{labels})."


def _next(
    best: Any,
    config: Config,
    inputs: Mapping[str, Any],
    truth: Mapping[Any, Any],
    own_images: bool,
) -> str:
    enough, seeds = min(ARCHITECTURES, int(truth["n"])), f"seed=0..{SEEDS - 1}"
    more = f"n={enough} {seeds}"
    if inputs["stand_in"] and own_images:
        variant = config.truth.variant
        keys = [f"truth={variant}"] if variant != "default" else []
        keys += [f"truth.path={config.truth.path}"] if config.truth.path else []
        asked = " ".join([f"space={config.space} task={config.task}", *keys, more])
        return f"Next, on the task's own images: python -m harness {asked}"
    if best.n == truth["n"] and best.seeds < SEEDS:
        return f"Next: all {best.n} are in; {seeds} adds other weights and batches."
    if best.n < enough or best.seeds < SEEDS:
        return f"Next: the same command with {more} adds to this result and narrows the interval."
    return "Next: python -m harness job=report puts all results on one page."

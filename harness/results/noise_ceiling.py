"""The ρ that training noise leaves a perfect proxy."""

from __future__ import annotations

from functools import cache

from harness.stats import attenuation
from harness.stats.correlation import spearman
from harness.truth.repeats import repeats


@cache
def noise_ceiling(space: str, task: str, variant: str) -> float:
    """Returns Spearman's ρ of true accuracies with the recorded ones; NaN if that is unknown.

    Args:
        space: Search space.
        task: Task.
        variant: Which of the accuracies.

    Raises:
        DataError: If this installation lacks a bundled table or it is damaged.
    """
    known = repeats(space, task)
    if known is None or variant not in known.behind:
        return float("nan")
    single = attenuation.reliability(spearman(known.one, known.mean), known.runs, known.within)
    return float(attenuation.ceiling(single, known.behind[variant]))

"""Trainings that diverge: what they leave are no weights, and an accuracy of it is no result."""

from __future__ import annotations

import math

from harness.core.errors import HarnessError


def refuse_divergence(loss: float, epoch: int) -> None:
    """Ends a training whose loss is no number any more.

    Args:
        loss: Of the epoch, its mean or its last.
        epoch: From 1 on.

    Raises:
        HarnessError: If it is NaN or infinite.
    """
    if not math.isfinite(loss):
        raise HarnessError(
            f"The training diverged: its loss is {loss} in epoch {epoch}; lower the learning rate."
        )

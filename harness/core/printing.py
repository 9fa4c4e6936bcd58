"""How numbers are written, in pictures and in the terminal alike."""

from __future__ import annotations

import math

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


UNDEFINED, NOT_SCORED = f"{DASH}\N{NO-BREAK SPACE}undefined", "empty: not scored"
"""What marks say in every picture and table."""


def printed(value: float) -> str:
    """Writes a correlation as it appears in a cell: ``0.83``, ``−0.12``, a dash for NaN."""
    if math.isnan(value):
        return DASH
    rounded = round(float(value), 2) + 0.0  # no negative zero
    return f"{rounded:.2f}".replace("-", MINUS)


def estimate(value: float, low: float, high: float) -> str:
    """Writes a number with its interval: ``0.83 [0.80, 0.86]``."""
    return f"{printed(value)} [{printed(low)}, {printed(high)}]"

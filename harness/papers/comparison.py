"""One row of the comparison with a paper: its number, ours, the difference and the verdict."""

from __future__ import annotations

import math
from typing import Any

from harness.stats.verdict import Estimate, difference, verdict

Row = dict[str, Any]

# Differences: as good as none, and what an agreement must rule out. Of correlations they are
# absolute, of everything else shares of the printed number.
NEGLIGIBLE, MOST = 0.02, 0.1
ABSENT = "not here"
VERDICTS = ("agrees", "differs", "too few to tell", ABSENT)
COLUMNS = [
    "source", "artefact", "column", "quantity", "paper", "ours", "difference", "low", "high",
    "verdict", "why",
]  # fmt: skip
"""``low`` and ``high`` are the ends of the difference's 95 % interval, of a claim those of ours."""


def compared(
    source: str,
    artefact: str,
    column: str,
    quantity: str,
    *,
    paper: Estimate,
    ours: Estimate,
    why: str,
    scale: float | None = None,
) -> Row:
    """Returns one row; ``why`` is kept only where they do not agree.

    Args:
        source: Who printed the number.
        artefact: Where.
        column: Of which data.
        quantity: What it is.
        paper: The printed number.
        ours: The stored one.
        why: What may explain a difference.
        scale: What NEGLIGIBLE and MOST are shares of; None for the printed number, 1 for a
            correlation.
    """
    found = difference(ours, paper)
    unit = abs(paper.value) if scale is None else scale
    judged = verdict(found, NEGLIGIBLE * unit, MOST * unit)
    undefined = "ours is undefined: all scores are equal; " if math.isnan(ours.value) else ""
    return {
        "source": source,
        "artefact": artefact,
        "column": column,
        "quantity": quantity,
        "paper": float(paper.value),
        "ours": float(ours.value),
        "difference": float(found.value),
        "low": float(found.low),
        "high": float(found.high),
        "verdict": judged,
        "why": "" if judged == "agrees" else undefined + why,
    }


def claimed(
    source: str, artefact: str, column: str, quantity: str, *, ours: Estimate, why: str
) -> Row:
    """Returns a row for a quantity of which a paper only says, or draws, that it is positive."""
    judged = "agrees" if ours.low > 0 else "differs" if ours.high < 0 else "too few to tell"
    return {
        "source": source,
        "artefact": artefact,
        "column": column,
        "quantity": f"{quantity}, above 0",
        "ours": float(ours.value),
        "low": float(ours.low),
        "high": float(ours.high),
        "verdict": judged,
        "why": why,
    }


def undefined_in_both(row: Row) -> Row:
    """Returns a row that agrees since neither side has a value."""
    return row | {"verdict": "agrees", "why": "undefined in both"}


def absent(source: str, artefact: str, column: str, quantity: str, why: str) -> Row:
    """Returns a row for what is not here."""
    return {
        "source": source,
        "artefact": artefact,
        "column": column,
        "quantity": quantity,
        "verdict": ABSENT,
        "why": why,
    }

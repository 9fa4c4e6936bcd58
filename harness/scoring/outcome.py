"""Whether a run did what it was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.core.errors import NothingScoredError
from harness.core.types import FAILED


def refuse_failure(rows: Iterable[Mapping[Any, Any]]) -> None:
    """Refuses to call a run a success in which every score failed.

    Args:
        rows: Scores with ``status`` and ``message``. An undefined score is an answer.

    Raises:
        NothingScoredError: With the most frequent reason.
    """
    reasons = [row["message"] if row["status"] in FAILED else None for row in rows]
    if reasons and None not in reasons:
        (reason, _) = Counter(reasons).most_common(1)[0]
        reason = str(reason).rstrip(".")
        raise NothingScoredError(
            f"Every one of the {len(reasons):,} scores failed, most often with: {reason}."
        )

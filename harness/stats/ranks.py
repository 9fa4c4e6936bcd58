"""What enters a ranking, and where an architecture without a score ranks."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt

from harness.core.errors import DataError, unknown
from harness.core.types import FAILED, RANKED, Policy

Floats = npt.NDArray[np.float64]


def resolve_undefined(
    values: npt.ArrayLike, status: npt.ArrayLike, policy: Policy = "worst"
) -> Floats:
    """Decides what the scores without a value rank as.

    ``worst`` is the convention of NAS-Bench-Suite-Zero (Krishnakumar et al., NeurIPS 2022), which
    stores −1e8 for such scores: they rank below every score that has a value and are tied among
    themselves. A failed run (``oom``, ``error``) says nothing about the architecture and is never
    ranked.

    Args:
        values: n scores; only those whose status is ``ok`` are looked at.
        status: n times ``ok``, ``undefined``, ``oom`` or ``error``.
        policy: ``worst`` ranks the undefined scores last, ``drop`` leaves them out.

    Returns:
        n numbers to rank: −inf stands for the last place, NaN for "does not enter".

    Raises:
        HarnessError: If the policy does not exist.
        DataError: If a status does not exist, or a score is not finite although it is ``ok``.
    """
    if policy not in get_args(Policy):
        raise unknown("policy for undefined scores", policy, get_args(Policy))
    numbers, states = np.asarray(values, dtype=float), np.asarray(status, dtype=str)
    strange = set(states.tolist()) - {*RANKED, *FAILED}
    if strange:
        raise DataError(
            f"The scores have the status {sorted(strange)[0]!r}; expected one of "
            f"{', '.join((*RANKED, *FAILED))}. Score these architectures again."
        )
    ok = states == "ok"
    if not np.isfinite(numbers[ok]).all():
        raise DataError(
            "A score has the status 'ok' but no finite value; its status should be 'undefined'. "
            "Score these architectures again."
        )
    resolved = np.where(ok, numbers, np.nan)
    if policy == "worst":
        resolved[states == "undefined"] = -np.inf
    return resolved

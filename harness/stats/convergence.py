"""How sure is ρ with so many architectures?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bootstrap import intervals, ranked, spearmans
from harness.stats.comparisons import Joint

SIZES = (10, 20, 50, 100, 200, 500, 1000)
NARROW = 0.05
RESAMPLES = 300
RARE = 0.05
"""Share of samples without a ρ, above which no interval is given."""


def convergence(joined: Joint, sizes: Sequence[int] = SIZES, seed: int = 0) -> pd.DataFrame:
    """Draws samples of several sizes from the architectures of the first seed, with replacement.

    A draw with replacement is to the sample what the sample is to its search space (m out of n
    bootstrap; Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, section 25.2).

    Args:
        joined: The scores.
        sizes: How many architectures a sample has; those above n are left out.
        seed: Fixes the draws.

    Returns:
        A row per proxy and size: ``size``, ``low`` and ``high`` (what 95 % of 300 samples' ρ lie
        between), ``half`` (half of that width), ``needed`` (architectures for a half of 0.05,
        from the largest size, as the half falls with √size) and ``n``, of which they are drawn.

    Raises:
        HarnessError: If there are fewer architectures than the smallest size.
    """
    scores, truth = joined.rows()[0]
    n = len(truth)
    if n < min(sizes):
        raise HarnessError(f"It has {n} architectures, fewer than the smallest sample.")
    everyone = ranked(scores, truth)
    random = np.random.default_rng([seed, *joined.stream])
    parts = []
    for size in (one for one in sizes if one <= n):
        counts = random.multinomial(size, np.full(n, 1 / n), size=RESAMPLES).astype(np.int32)
        # In blocks, which stay in the processor's cache.
        rhos = np.concatenate([spearmans(everyone, block) for block in np.array_split(counts, 20)])
        low, high = intervals(rhos)
        # Where many samples have equal scores alone, the others say little.
        rare = np.isnan(rhos).mean(axis=0) > RARE
        low[rare] = high[rare] = np.nan
        parts.append(
            pd.DataFrame({"proxy": joined.names, "size": size, "low": low, "high": high, "n": n})
        )
    table = pd.concat(parts, ignore_index=True)
    table["half"] = (table["high"] - table["low"]) / 2
    largest = table[table["size"] == table["size"].max()].set_index("proxy")
    needed = largest["size"] * (largest["half"] / NARROW) ** 2
    return table.assign(needed=table["proxy"].map(np.ceil(needed)))

"""What one operation does to accuracy and scores: pairs of architectures that differ in it alone.

Changes are of ranks, from 0 (the lowest of a sample) to 1 (the highest), so that scores and
accuracies compare.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bias import ACCURACY
from harness.stats.bootstrap import FEWEST, Counts, intervals
from harness.stats.comparisons import Joint
from harness.stats.ranks import Floats
from harness.stats.strata import Members

EVERYWHERE = "any"
POINTS = "accuracy itself"

Architecture = tuple[Sequence[Hashable], Sequence[str]]
"""Its places and the operation at each; equal places and operations are one architecture."""
Swap = tuple[str, str, str]
"""The place, the operation that goes, the operation that comes."""


def operation_effects(joined: Joint, made_of: Sequence[Sequence[Architecture]]) -> pd.DataFrame:
    """Measures what exchanging one operation for another does to ranks.

    Args:
        joined: The scores.
        made_of: Per seed what its architectures are made of, in the order of the scores.

    Returns:
        A row per exchange that ten pairs have, and proxy, of which ``accuracy`` is one:
        ``place`` (``any``: all of them), ``from``, ``to`` (in alphabetical order), ``proxy``,
        ``change`` (mean change of the rank, −1 to 1; of ``accuracy itself``, in its unit), ``low``
        and ``high`` (95 % interval, a pair as often as both its architectures), ``pairs`` and ``n``
        (of all seeds).

    Raises:
        HarnessError: If no exchange has ten pairs.
    """
    pairs = [neighbours(own) for own in made_of]
    sizes = {
        swap: sum(len(own.get(swap, ((),))[0]) for own in pairs)
        for swap in sorted(set().union(*pairs))
    }
    sizes = {swap: size for swap, size in sizes.items() if size >= FEWEST}
    if not sizes:
        raise HarnessError(
            f"Fewer than {FEWEST} pairs of its architectures differ in one operation alone."
        )
    names = [*joined.names, ACCURACY, POINTS]
    ranks = [_ranks(scores, truth) for scores, truth in joined.rows()]
    nobody = np.empty(0, dtype=np.intp)

    def measure(place: int, counts: Counts) -> Floats:
        """Returns sums of changes, and last how many pairs they are of: b×swaps×(names + 1)."""
        found = np.zeros((len(counts), len(sizes), len(names) + 1))
        for row, swap in enumerate(sizes):
            before, after = pairs[place].get(swap, (nobody, nobody))
            weights = (counts.take(before, axis=1) * counts.take(after, axis=1)).astype(float)
            found[:, row, :-1] = weights @ (ranks[place][after] - ranks[place][before])
            found[:, row, -1] = weights.sum(axis=1)
        return found

    observed, replicates = joined.replicates(measure)
    change, (low, high) = _ratio(observed.sum(axis=0)), intervals(_ratio(replicates.sum(axis=0)))
    exchanged = pd.DataFrame(sizes.keys(), columns=["place", "from", "to"])
    table = exchanged.loc[exchanged.index.repeat(len(names))].reset_index(drop=True)
    return table.assign(
        proxy=np.tile(names, len(sizes)),
        change=change.ravel(),
        low=low.ravel(),
        high=high.ravel(),
        pairs=np.repeat(list(sizes.values()), len(names)),
        n=sum(map(len, made_of)),
    )


def neighbours(made_of: Sequence[Architecture]) -> dict[Swap, tuple[Members, Members]]:
    """Finds the pairs of architectures that differ in the operation at one place alone.

    Returns:
        Exchange -> the places of the architectures before and after it; each pair at its place
        and at ``any``.
    """
    alike: dict[Hashable, list[tuple[str, int]]] = {}
    for member, (places, operations) in enumerate(made_of):
        for at, operation in enumerate(operations):
            others = (*operations[:at], *operations[at + 1 :])
            alike.setdefault((at, tuple(places), others), []).append((operation, member))
    found: dict[Swap, list[tuple[int, int]]] = {}
    for (at, places, _), group in alike.items():  # type: ignore[misc]
        for (before, first), (after, second) in combinations(sorted(group), 2):
            if before != after:
                for place in (str(places[at]), EVERYWHERE):
                    found.setdefault((place, before, after), []).append((first, second))
    return {swap: tuple(np.array(pairs).T) for swap, pairs in found.items()}


def _ranks(scores: Floats, truth: Floats) -> Floats:
    """Returns n×(k + 2): ranks from 0 to 1 of scores and accuracies, and the accuracies."""
    from scipy.stats import rankdata

    ranks = rankdata(np.column_stack([scores, truth]), axis=0) - 1
    return np.column_stack([ranks / max(len(truth) - 1, 1), truth])


def _ratio(sums: Floats) -> Floats:
    pairs = sums[..., -1:]
    ratio: Floats = np.full((*sums.shape[:-1], sums.shape[-1] - 1), np.nan)
    np.divide(sums[..., :-1], pairs, out=ratio, where=pairs > 0)
    return ratio

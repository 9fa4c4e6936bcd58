"""How well a proxy's scores agree with themselves when they are made again.

Scores of one architecture differ by the weights that were drawn and by the batch that was shown.
Stored scores repeat some architectures: another seed of the same study draws both anew; the same
seed in a study with other images keeps the weights and changes the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from harness.stats import attenuation
from harness.stats.bootstrap import interval, pooled
from harness.stats.joint import rank_matrix, resampled_matrices
from harness.stats.ranks import Floats

SAME = ["proxy", "settings"]
RUN = ["images", "seed"]
FEWEST, PAIRS = 5, 30
"""Architectures that two runs must share, and scores that must have been made twice altogether."""
BATCH, BOTH = "batch", "weights and batch"
REPEATS = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class SelfAgreement:
    """One proxy on one space and task, scored twice.

    Attributes:
        proxy: Which.
        settings: Under which settings, whatever names them.
        drawn: What was drawn anew, ``BATCH`` or ``BOTH``.
        pairs: How many scores were made twice.
        n: Of how many architectures.
        runs: How many pairs of runs they come from; a run is a seed and the images it drew from.
        replicates: 4 × (1 + B): Spearman's ρ of a score with its repeat, of the two with the
            accuracy, and of the mean of their ranks with the accuracy; averaged over the pairs of
            runs, observed in the first column, then in resamples of the architectures.
    """

    proxy: str
    settings: str
    drawn: str
    pairs: int
    n: int
    runs: int
    replicates: Floats

    @property
    def value(self) -> float:
        """ρ of a score with its repeat."""
        return float(self.replicates[0, 0])

    def row(self) -> dict[str, Any]:
        """Returns what a table says: ``agreement`` with its interval, and ρ of one and of two."""
        low, high = interval(self.replicates[0, 1:])
        single = (self.replicates[1] + self.replicates[2]) / 2
        gain = self.replicates[3] - single
        gain_low, gain_high = interval(gain[1:])
        return {
            "proxy": self.proxy,
            "drawn": self.drawn,
            "pairs": self.pairs,
            "n": self.n,
            "runs": self.runs,
            "agreement": self.value,
            "low": low,
            "high": high,
            "one": float(single[0]),
            "two": float(self.replicates[3, 0]),
            "gain": float(gain[0]),
            "gain_low": gain_low,
            "gain_high": gain_high,
        }


def self_agreements(
    scores: pd.DataFrame, resamples: int = 1000, seed: int = 0
) -> list[SelfAgreement]:
    """Compares the scores of one space and task that were made twice under the same settings.

    Args:
        scores: One row per score: ``proxy``, ``settings``, ``images`` (which were shown), ``seed``,
            ``key``, ``value`` (a number to rank; −∞ is a last place) and ``truth``.
        resamples: Bootstrap resamples of the architectures.
        seed: Fixes them.

    Returns:
        One per proxy, settings and what was drawn anew, of those with enough repeats.
    """
    found = []
    for (proxy, settings), rows in scores.groupby(SAME, sort=False):
        runs = [
            (of[0], of[1], own.drop_duplicates("key").set_index("key")[["value", "truth"]])
            for of, own in rows.groupby(RUN)
        ]
        for drawn in (BOTH, BATCH):
            pairs = list(_pairs(runs, drawn))
            if sum(map(len, pairs)) >= PAIRS:
                found.append(
                    SelfAgreement(
                        proxy=str(proxy),
                        settings=str(settings),
                        drawn=drawn,
                        pairs=sum(map(len, pairs)),
                        n=pooled(pairs)[0],
                        runs=len(pairs),
                        replicates=_replicates(pairs, resamples, seed),
                    )
                )
    return found


def averaged(rho: float, agreement: float, repeats: Sequence[int] = REPEATS) -> dict[str, float]:
    """Predicts ρ with the accuracy of a mean of repeats, by Spearman and Brown.

    Args:
        rho: Of one.
        agreement: Of one with another, the reliability.
        repeats: How many.

    Returns:
        ``repeats_k`` for each, and ``repeats_all``, the limit; NaN if the agreement is not above 0.
    """
    counts = {f"repeats_{k}": k for k in repeats} | {"repeats_all": np.inf}
    return {
        name: float(rho * np.sqrt(attenuation.of_mean(agreement, k) / agreement))
        if agreement > 0
        else float("nan")
        for name, k in counts.items()
    }


def _pairs(
    runs: Sequence[tuple[object, object, pd.DataFrame]], drawn: str
) -> Iterator[pd.DataFrame]:
    """Yields, for any two runs, the architectures of both: value, repeated, truth."""
    for (_, seed, first), (_, other, second) in combinations(runs, 2):
        # The same images and seed are one run, so that two of one seed differ in images.
        if (seed == other) == (drawn == BATCH):
            pair = first.join(second[["value"]].rename(columns={"value": "repeated"}), how="inner")
            if len(pair) >= FEWEST:
                yield pair


def _replicates(pairs: Sequence[pd.DataFrame], resamples: int, seed: int) -> Floats:
    _, members = pooled(pairs)
    columns = [
        np.column_stack([*pair[["value", "repeated"]].to_numpy().T, mean_rank, pair["truth"]])
        for pair in pairs
        for mean_rank in [pair["value"].rank() + pair["repeated"].rank()]
    ]
    observed = np.mean([rank_matrix(one) for one in columns], axis=0)
    random = np.random.default_rng(seed)
    resampled = resampled_matrices(columns, members, resamples, random).mean(axis=0)
    matrices = np.concatenate([observed[None], resampled])
    wanted: Floats = np.stack([matrices[:, i, j] for i, j in ((0, 1), (0, 3), (1, 3), (2, 3))])
    return wanted

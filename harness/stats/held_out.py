"""Ensembles of proxies on architectures whose accuracies they did not see.

Half of the architectures are the pool from which accuracies may be asked for, the other half is
ranked. Scores cost no training, so that the blind ensembles rank every architecture among all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.stats import ensembles
from harness.stats.bootstrap import Ranker, SeedRanking, interval, mean_spearman, pooled
from harness.stats.comparisons import TRUTH, Joint
from harness.stats.correlation import spearman
from harness.stats.ranks import Floats

SPLITS, RESAMPLES = 5, 200
"""Halves over all seeds, one of each at least; bootstrap resamples."""
BUDGETS = (20, 100)
"""Accuracies that may be asked for; the smaller one is RoBoT's own."""
SIZE, ROBOT = "params", "robot"
PENALTIES = tuple(10.0**power for power in range(-1, 5))


@dataclass(frozen=True)
class HalfSeen:
    """What one seed and split gives an ensemble.

    Attributes:
        names: k proxies.
        scores: n×k, of all architectures.
        asked: The architectures whose accuracy may be looked at, in the order of asking.
        truth: n accuracies.
        seed: For what draws at random.
    """

    names: Sequence[str]
    scores: Floats
    asked: npt.NDArray[np.intp]
    truth: Floats
    seed: int


Ensemble = Callable[[HalfSeen], Floats]
"""Returns n scores, of which those not asked for are judged."""


def best_proxy(split: HalfSeen) -> Floats:
    """Returns the scores of the proxy with the highest ρ on what was asked for."""
    scores, truth = split.scores[split.asked], split.truth[split.asked]
    rho = [spearman(column, truth) for column in scores.T]
    column: Floats = split.scores[:, int(np.argmax(np.nan_to_num(rho, nan=-1.0)))]
    return column


def robot(split: HalfSeen) -> Floats:
    """Returns RoBoT's weighted sum; it asks for accuracies as its search goes."""
    scores, truth = split.scores[split.asked], split.truth[split.asked]
    weights = ensembles.robot_weights(scores, truth, BUDGETS[0], split.seed)
    return np.asarray(ensembles.scaled(split.scores) @ weights)


def libra(split: HalfSeen) -> Floats:
    """Returns LIBRA's sum, its three columns chosen by what was asked for."""
    scores, truth = split.scores[split.asked], split.truth[split.asked]
    sizes = scores[:, list(split.names).index(SIZE)]
    members = ensembles.libra_members(scores, truth, sizes)
    return ensembles.rank_log(split.scores[:, members])


def linear(split: HalfSeen) -> Floats:
    """Returns a ridge regression of the ranks of accuracies on the ranks of scores.

    The penalty is the one with the least error on single architectures left out, which a ridge
    regression knows without fitting anew (Allen 1974, PRESS).
    """
    from scipy.stats import rankdata

    ranks = rankdata(split.scores, axis=0) / len(split.scores)
    y = rankdata(split.truth[split.asked])
    y = (y - y.mean()) / len(y)
    centre = ranks[split.asked].mean(axis=0)
    x = ranks[split.asked] - centre
    u, s, v = np.linalg.svd(x, full_matrices=False)
    errors = []
    for penalty in PENALTIES:
        shrunk = u * (s**2 / (s**2 + penalty))
        leverage = np.vecdot(shrunk, u) + 1 / len(y)
        errors.append(float(np.square((y - shrunk @ (u.T @ y)) / (1 - leverage)).sum()))
    penalty = PENALTIES[int(np.argmin(errors))]
    weights = v.T @ (s / (s**2 + penalty) * (u.T @ y))
    fitted: Floats = (ranks - centre) @ weights
    return fitted


def methods(names: Sequence[str]) -> dict[tuple[str, int], Ensemble]:
    """Returns every ensemble with the number of accuracies that it looks at."""
    blind: dict[str, Ensemble] = {
        "rank_log": lambda split: ensembles.rank_log(split.scores),
        "vote": lambda split: ensembles.vote(split.scores),
    }
    seeing: dict[str, Ensemble] = {"best proxy": best_proxy, "linear": linear}
    if SIZE in names:
        seeing["libra"] = libra
    return {
        **{(name, 0): own for name, own in blind.items()},
        (ROBOT, BUDGETS[0]): robot,
        **{(name, budget): own for budget in BUDGETS for name, own in seeing.items()},
    }


def held_out(joined: Joint, seed: int = 0) -> pd.DataFrame:
    """Ranks the architectures whose accuracies nobody asked for.

    Args:
        joined: The scores and accuracies; correlations are not used.
        seed: Fixes splits, searches and resamples.

    Returns:
        One row per ensemble and number of ``accuracies`` looked at, the best first: ``spearman``
        on the unseen half, mean over splits and seeds, with ``low`` and ``high`` (95 % from
        resampled architectures), ``n`` (unseen architectures), ``splits`` (over all seeds) and
        ``seeds``. Who would ask for more than half of the architectures is left out.
    """
    asking = {
        key: own for key, own in methods(joined.names).items() if 2 * key[1] <= joined.counts["n"]
    }
    splits = max(1, SPLITS // len(joined.columns))
    size, members = pooled(joined.columns)
    rankings: list[SeedRanking] = []
    observed: list[list[float]] = []
    for number, own in enumerate(joined.columns):
        random = np.random.default_rng([seed, number])
        for _ in range(splits):
            unseen, judged = _half(own, joined.names, asking, random)
            truth = own[TRUTH].to_numpy(float)[unseen]
            observed.append([spearman(values, truth) for values in judged])
            rankers = [Ranker(values) for values in judged]
            rankings.append(SeedRanking(members[number][unseen], rankers, Ranker(truth)))
    replicates = mean_spearman(rankings, size, RESAMPLES, np.random.default_rng(seed))
    table = pd.DataFrame(asking.keys(), columns=["ensemble", "accuracies"])
    table["spearman"] = np.mean(observed, axis=0)
    table[["low", "high"]] = [interval(column) for column in replicates.T]
    table["n"] = min(len(one.members) for one in rankings)
    table["splits"] = len(rankings)
    table["seeds"] = len(joined.columns)
    return table.sort_values("spearman", ascending=False, kind="stable", ignore_index=True)


def _half(
    own: pd.DataFrame,
    names: Sequence[str],
    asking: Mapping[tuple[str, int], Ensemble],
    random: np.random.Generator,
) -> tuple[npt.NDArray[np.intp], list[Floats]]:
    """Returns which half is unseen, and what every ensemble scores it."""
    order = random.permutation(len(own))
    known, unseen = np.split(order, [len(own) // 2])
    scores, truth = own[list(names)].to_numpy(float), own[TRUTH].to_numpy(float)
    seed = int(random.integers(2**31))
    judged = []
    for (name, budget), ensemble in asking.items():
        # RoBoT decides itself which of the half it asks for.
        asked = known if name == ROBOT else known[:budget]
        judged.append(ensemble(HalfSeen(names, scores, asked, truth, seed))[unseen])
    return unseen, judged

"""How well models that learn from trained architectures rank others, by how many they saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.core.errors import HarnessError
from harness.stats.bootstrap import Ranker, SeedRanking, mean_spearman
from harness.stats.correlation import spearman
from harness.stats.ranks import Floats

SIZES = (10, 30, 100, 300, 1000)
"""Trained architectures that a model learns from."""
TESTED = 1000
"""At most so many others are ranked, as in NAS-Bench-Suite-Zero."""
LEAST_TESTED = 50

Predict = Callable[[Floats, Floats, Floats, int], Floats]
"""From features and accuracies of what was trained, features of others and a seed: predictions."""


def boosting(known: Floats, accuracy: Floats, others: Floats, seed: int) -> Floats:
    """Gradient-boosted trees of at most eight leaves; NaN among features is a value of its own."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_leaf_nodes=8, min_samples_leaf=3, max_bins=32, early_stopping=False, random_state=seed
    )
    predicted: Floats = model.fit(known, accuracy).predict(others)
    return predicted


def forest(known: Floats, accuracy: Floats, others: Floats, seed: int) -> Floats:
    """A random forest of 100 trees, a third of the features at every split."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(max_features=1 / 3, random_state=seed)
    predicted: Floats = model.fit(known, accuracy).predict(others)
    return predicted


def xgboost(known: Floats, accuracy: Floats, others: Floats, seed: int) -> Floats:
    """XGBoost's trees of at most eight leaves, grown as those of ``boosting``; an extra.

    Raises:
        HarnessError: If the package is not installed.
    """
    try:
        from xgboost import XGBRegressor
    except ImportError as error:
        raise HarnessError(
            "models=[xgboost] needs a package that is not installed; run "
            "pip install 'zero-cost-harness[xgboost]'."
        ) from error
    model = XGBRegressor(
        n_estimators=100,
        max_leaves=8,
        max_depth=0,
        grow_policy="lossguide",
        learning_rate=0.1,
        max_bin=32,
        random_state=seed,
        n_jobs=1,
    )
    predicted: Floats = model.fit(known, accuracy).predict(others)
    return predicted


INSTALLED: dict[str, Predict] = {"boosting": boosting, "forest": forest}
"""Models that need nothing beside what the harness needs."""
MODELS = INSTALLED | {"xgboost": xgboost}


def learning_curves(
    features: Mapping[str, Floats],
    accuracy: Floats,
    splits: int,
    *,
    models: Mapping[str, Predict] = INSTALLED,
    sizes: Sequence[int] = SIZES,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Fits models to a few architectures and lets them rank others.

    A split shuffles the architectures: the first are learned from, the last are ranked, the same
    ones whatever the model, its features and how many it saw.

    Args:
        features: By name, n×f numbers; NaN where a feature has no value.
        accuracy: n accuracies.
        splits: How often to split, at least 1.
        models: By name, what fits and predicts.
        sizes: How many to learn from; those that leave too few others are left out.
        resamples: Bootstrap resamples of the architectures; a resample goes through all splits.
        seed: Fixes splits, models and resamples.

    Returns:
        One row per features, model and size: ``features``, ``model``, ``trained``, ``spearman``
        (mean over splits), ``std`` (over splits), ``low`` and ``high`` (95 % interval of the mean
        with other architectures to rank, the fitted models held fixed), ``tested``, ``splits`` and
        ``n``.

    Raises:
        HarnessError: If there are too few architectures.
    """
    n = len(accuracy)
    sizes = [size for size in sizes if n - size >= max(LEAST_TESTED, size)]
    if not sizes:
        raise HarnessError(
            f"{n} architectures are too few to learn from some and rank at least {LEAST_TESTED} "
            "others; score more."
        )
    tested = min(TESTED, n - sizes[-1])
    orders = [np.random.default_rng([seed, split]).permutation(n) for split in range(splits)]
    lean = {name: _distinct(columns) for name, columns in features.items()}
    rows: list[dict[str, Any]] = []
    for size in sizes:
        chosen = [(name, model) for name in lean for model in models]
        rankings = []
        for split, order in enumerate(orders):
            known, others = order[:size], order[n - tested :]
            predicted = [
                models[model](lean[name][known], accuracy[known], lean[name][others], split)
                for name, model in chosen
            ]
            rankings.append((others, predicted))
        random = np.random.default_rng([seed, size])
        measured = _summarised(rankings, accuracy, resamples, random)
        for (name, model), row in zip(chosen, measured, strict=True):
            said = {"features": name, "model": model, "trained": size, **row}
            rows.append(said | {"tested": tested, "splits": splits, "n": n})
    return pd.DataFrame(rows)


def _summarised(
    rankings: Sequence[tuple[Any, Sequence[Floats]]],
    accuracy: Floats,
    resamples: int,
    random: np.random.Generator,
) -> list[dict[str, float]]:
    """Returns mean, deviation and interval of every model, over the splits' rankings."""
    observed = pd.DataFrame(
        [[spearman(one, accuracy[others]) for one in predicted] for others, predicted in rankings]
    )
    seeds = [
        SeedRanking(others, [Ranker(one) for one in predicted], Ranker(accuracy[others]))
        for others, predicted in rankings
    ]
    resampled = mean_spearman(seeds, len(accuracy), resamples, random)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    table = {"spearman": observed.mean(), "std": observed.std(), "low": low, "high": high}
    return pd.DataFrame(table).to_dict("records")  # type: ignore[return-value]


def _distinct(columns: Floats) -> Floats:
    """Leaves out columns that are constant or the same as another: a tree gains nothing by them."""
    kept = np.unique(columns, axis=1)
    varied = [len(np.unique(column)) > 1 for column in kept.T]
    return kept[:, varied] if any(varied) else kept

"""What searches selected: scores, sizes and true accuracies of the best that each evaluated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from harness.search.swap_nas.final_networks import cifar10_size, imagenet_size
from harness.search.swap_nas.searches import SEARCH
from harness.spaces import darts_space
from harness.spaces.space import spaces


def selected_table(
    evaluations: pd.DataFrame, space: str, task: str, accuracies: pd.DataFrame | None
) -> pd.DataFrame:
    """Returns one row per search: the fittest architecture that it ever evaluated.

    Args:
        evaluations: Of one or several searches, as ``run_searches`` returns them.
        space: Search space.
        task: Task.
        accuracies: The ground truth, if there is one.

    Returns:
        ``method``, ``objective``, ``mu``, ``seed``, ``key``, ``score``, ``value``, ``theta``,
        ``largest`` (whether nothing larger was met), ``selected_at`` (the evaluation), numbers of
        evaluations, ``seconds`` of measuring what the search met, each architecture once, the size
        of the network in full and, with ground truth, ``truth``, ``regret`` and ``rank`` (1 is
        best, equals share the better rank).
    """
    return pd.DataFrame(
        [
            {**_selected(rows), **_sizes(rows, space, task), **_true_quality(rows, accuracies)}
            for rows in _searches(evaluations)
        ]
    )


def _searches(evaluations: pd.DataFrame) -> Iterator[pd.DataFrame]:
    return (rows for _, rows in evaluations.groupby(SEARCH, sort=False))


def _best(rows: pd.DataFrame) -> Any:
    return rows.iloc[int(rows.fitness.to_numpy().argmax())]


def _selected(rows: pd.DataFrame) -> dict[str, Any]:
    best, new = _best(rows), rows[~rows.repeated]
    seconds = float(new.seconds.sum())
    return {
        **{name: best[name] for name in (*SEARCH, "key", "score", "value", "theta")},
        "largest": bool(best.theta == rows.theta.max()),
        "selected_at": int(best.evaluation),
        "evaluations": len(rows),
        "distinct": len(new),
        "undefined": int((new.status != "ok").sum()),
        "seconds": round(seconds, 2),
        "evaluations_per_second": round(len(rows) / seconds, 2) if seconds else math.nan,
    }


def _sizes(rows: pd.DataFrame, space: str, task: str) -> dict[str, Any]:
    """Returns the sizes of the benchmark's network or, on DARTS, of both that may be trained."""
    key = str(_best(rows).key)
    if space != "darts":
        return {"params": spaces.get(space).count_params(key, task)}
    cifar10, imagenet = cifar10_size(key), imagenet_size(key)
    return {
        "params_cifar10": cifar10.params,
        "macs_cifar10": cifar10.macs,
        "params_imagenet": imagenet.params,
        "macs_imagenet": imagenet.macs,
        "genotype": darts_space.printed(key),
    }


def _true_quality(rows: pd.DataFrame, accuracies: pd.DataFrame | None) -> dict[str, Any]:
    if accuracies is None:
        return {}
    known = accuracies.value[accuracies.key == _best(rows).key]
    if known.empty:
        return {"truth": math.nan, "regret": math.nan, "rank": math.nan}
    value = float(known.iloc[0])
    better = int((accuracies.value > value).sum())
    return {"truth": value, "regret": float(accuracies.value.max()) - value, "rank": 1 + better}


def trajectories(evaluations: pd.DataFrame, accuracies: pd.DataFrame | None) -> pd.DataFrame:
    """Adds to every evaluation the best score so far and the true accuracy of that one."""
    parts = []
    for rows in _searches(evaluations):
        fitness = rows.fitness.to_numpy()
        highest = rows.fitness.cummax().to_numpy()
        # The first of equals is the best, here as in the search.
        new = [i for i in range(len(rows)) if i == 0 or fitness[i] > highest[i - 1]]
        leader = pd.Series(new, index=new).reindex(range(len(rows))).ffill().astype(int)
        best = rows.iloc[leader.to_numpy()]
        part = rows[["method", "objective", "seed", "evaluation"]].assign(
            best_score=best.score.to_numpy()
        )
        if accuracies is not None:
            part["best_truth"] = best.key.map(accuracies.set_index("key").value).to_numpy()
        parts.append(part)
    return pd.concat(parts, ignore_index=True)

"""What searches found: sizes, true accuracies, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from harness import figures, provenance, truth
from harness.config import Config
from harness.files import atomic
from harness.runs.protocol import images_of
from harness.runs.searches import Search
from harness.search.evolution import budget
from harness.search.final_networks import cifar10_size, imagenet_size
from harness.spaces import darts_space, nb301, spaces

NO_TRUTH: dict[str, Any] = {"sources": (), "note": "this space and task have no ground truth"}


def truth_of(config: Config) -> pd.DataFrame | None:
    """Returns the accuracies of the space and task; None where nobody measured them."""
    known = truth.overview()[["space", "task"]].itertuples(index=False, name=None)
    if config.truth.variant != "csv" and (config.space, config.task) not in set(known):
        return None
    return truth.load(config.space, config.task, config.truth.variant, config.truth.path)


def found_table(
    evaluations: pd.DataFrame, config: Config, accuracies: pd.DataFrame | None
) -> pd.DataFrame:
    """Returns one row per search: the architecture with the highest Ψ' that it ever evaluated.

    ``seconds`` is the time of measuring what the search met, each architecture once.
    """
    return pd.DataFrame(
        [
            {**_found(rows, config), **_true_quality(rows, accuracies)}
            for _, rows in evaluations.groupby(["method", "seed"], sort=False)
        ]
    )


def _found(rows: pd.DataFrame, config: Config) -> dict[str, Any]:
    best = rows.iloc[int(rows.fitness.to_numpy().argmax())]
    seconds = float(rows.seconds[~rows.repeated].sum())
    found = {
        **{name: best[name] for name in ("method", "seed", "key", "score", "psi", "theta")},
        "found_at": int(best.evaluation),
        "evaluations": len(rows),
        "distinct": int((~rows.repeated).sum()),
        "undefined": int((rows.status[~rows.repeated] != "ok").sum()),
        "seconds": round(seconds, 2),
        "evaluations_per_second": round(len(rows) / seconds, 2) if seconds else math.nan,
    }
    key = str(best.key)
    if config.space != "darts":
        return found | {"params": spaces.get(config.space).count_params(key, config.task)}
    cifar10, imagenet = cifar10_size(key), imagenet_size(key)
    return found | {
        "params_cifar10": cifar10.params,
        "macs_cifar10": cifar10.macs,
        "params_imagenet": imagenet.params,
        "macs_imagenet": imagenet.macs,
        "genotype": darts_space.printed(key),
    }


def _true_quality(rows: pd.DataFrame, accuracies: pd.DataFrame | None) -> dict[str, Any]:
    """Returns true value, regret and rank (1 is best, equals share the better rank)."""
    if accuracies is None:
        return {}
    best = rows.key.iloc[int(rows.fitness.to_numpy().argmax())]
    known = accuracies.value[accuracies.key == best]
    if known.empty:
        return {"truth": math.nan, "regret": math.nan, "rank": pd.NA}
    value = float(known.iloc[0])
    better = int((accuracies.value > value).sum())
    return {"truth": value, "regret": float(accuracies.value.max()) - value, "rank": 1 + better}


def trajectories(evaluations: pd.DataFrame, accuracies: pd.DataFrame | None) -> pd.DataFrame:
    """Adds to every evaluation the best score so far and the true accuracy of that one."""
    parts = []
    for _, rows in evaluations.groupby(["method", "seed"], sort=False):
        fitness = rows.fitness.to_numpy()
        highest = rows.fitness.cummax().to_numpy()
        # The first of equals is the best, here as in the search.
        new = [i for i in range(len(rows)) if i == 0 or fitness[i] > highest[i - 1]]
        leader = pd.Series(new, index=new).reindex(range(len(rows))).ffill().astype(int)
        best = rows.iloc[leader.to_numpy()]
        part = rows[["method", "seed", "evaluation"]].assign(best_score=best.score.to_numpy())
        if accuracies is not None:
            part["best_truth"] = best.key.map(accuracies.set_index("key").value).to_numpy()
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def write_results(
    folder: Path,
    items: Sequence[Search],
    evaluations: pd.DataFrame,
    config: Config,
) -> pd.DataFrame:
    """Writes evaluations, found architectures, pictures and provenance; returns what was found."""
    accuracies = truth_of(config)
    found = found_table(evaluations, config, accuracies)
    with atomic(folder / "evaluations.parquet") as temporary:
        evaluations.to_parquet(temporary, index=False)
    with atomic(folder / "found.csv") as temporary:
        found.to_csv(temporary, index=False, lineterminator="\n")
    runs = trajectories(evaluations, accuracies)
    title = f"{config.space} · {config.task}"
    subtitle = f"Ψ′ with {_regulariser(items[0])}. {images_of(config)}"
    figures.save(figures.trajectory(runs, f"Search on {title}", subtitle), folder / "trajectory")
    if config.space == "darts":
        _draw_cells(folder / "cells", found)
    resolved = {
        "seeds": sorted(found.seed.unique().tolist()),
        "evaluations": budget(items[0].settings),
        "objective": asdict(items[0].objective),
        "swap": asdict(items[0].scorer.swap),
        "seconds_of_scoring": round(float(found.seconds.sum()), 1),
    }
    described = NO_TRUTH if accuracies is None else accuracies.attrs
    provenance.write(folder / "run.json", config, resolved, described)
    return found


def _regulariser(item: Search) -> str:
    unit = {1e3: "thousand", 1e6: "million"}[item.objective.unit]
    return f"μ = {item.objective.mu:g}, σ = {item.objective.sigma:g} {unit} parameters"


def _draw_cells(folder: Path, found: pd.DataFrame) -> None:
    for row in found.to_dict("records"):
        normal, reduce = nb301.parse(row["key"])
        drawn: dict[str, Sequence[tuple[str, int]]] = {"Normal and reduction cell": normal}
        if normal != reduce:
            drawn = {"Normal cell": normal, "Reduction cell": reduce}
        picture = figures.cells(
            drawn,
            f"{row['method']}, seed {row['seed']}",
            f"Ψ′ = {row['score']:.1f}, Θ = {row['theta']:.3f} thousand. "
            f"CIFAR-10: {row['params_cifar10'] / 1e6:.2f} M parameters. "
            f"ImageNet: {row['params_imagenet'] / 1e6:.2f} M parameters, "
            f"{row['macs_imagenet'] / 1e6:.0f} M multiply-adds.",
        )
        figures.save(picture, folder / f"{row['method']}_seed{row['seed']}")

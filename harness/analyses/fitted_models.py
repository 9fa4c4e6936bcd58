"""Fits models on proxies and graph features: what the analysis ``predictors`` draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness import figures, stats, truth
from harness.artefacts.stored_results import StoredResults
from harness.config import Config
from harness.core.errors import HarnessError, unknown
from harness.executors.progress import console
from harness.results.derived import rests_on, write_record
from harness.results.finished import Result
from harness.results.folder import read_record, replacing
from harness.results.layout import RECORD, study_of
from harness.spaces.cell_graph import CellGraph
from harness.spaces.graph_features import graph_features, one_hot
from harness.spaces.space import spaces
from harness.stats.learning_curves import INSTALLED, MODELS
from harness.stats.ranks import Floats

CURVES = "learning_curves"
SCORED, TIGHT = "scored", "no loose end"
"""Architectures that are split: those with stored scores, or GRAF's of the whole ground truth."""
DRAWN = 20_000
"""Architectures of a larger table of ground truth that are looked at."""


def fit_models(config: Config, of: str, splits: int, models: Sequence[str] | None) -> Path:
    """Writes the learning curves of every column of a study that has enough architectures.

    A column whose scores have not changed since the same models were fitted with as many splits
    stays as it is.

    Returns:
        The folder ``results/<study>``.

    Raises:
        HarnessError: If splits is below 1, a model is unknown or there are no results.
    """
    if splits < 1:
        raise HarnessError(f"splits={splits} must be at least 1.")
    models = list(INSTALLED) if models is None else models
    for name in models:
        if name not in MODELS:
            raise unknown("model", name, MODELS)
    results = StoredResults(Path(config.results), of)
    root = results.folder / study_of(config)
    for one in results.columns():
        folder = root / one.space / one.task
        said: dict[str, Any] = {"results": rests_on(results.folder, [one.folder])}
        said |= {"splits": splits, "models": sorted(models), "architectures": [SCORED, TIGHT]}
        if (folder / RECORD).exists() and said.items() <= read_record(folder).items():
            continue
        try:
            table = curves(one, splits, models)
        except HarnessError as error:
            _say(f"{one.name}: left out. {error}")
            continue
        with replacing(folder) as fresh:
            figures.write_tables(table, fresh / CURVES)
            write_record(fresh, config, **said)
        _say(f"{one.name}: {len(table)} models, {splits} splits")
    return root


def curves(one: Result, splits: int, models: Sequence[str]) -> pd.DataFrame:
    """Returns ``stats.learning_curves`` of the sets of features and their unions.

    Every scored architecture enters once, with the scores of the first seed that drew it. What
    needs no score is fitted to the whole ground truth too, without cells that have a loose end, as
    GRAF does: ``architectures`` says which.

    Raises:
        HarnessError: If the architectures are too few or their cells are not known.
    """
    chosen = {name: MODELS[name] for name in models}
    parts = {
        name: stats.learning_curves(features, accuracy, splits, models=chosen)
        for name, (features, accuracy) in ((SCORED, _scored(one)), (TIGHT, _tight(one)))
        if len(accuracy)
    }
    return pd.concat(parts, names=["architectures"]).reset_index("architectures")


def _scored(one: Result) -> tuple[dict[str, Floats], Floats]:
    scores = one.scores.sort_values("seed", kind="stable").drop_duplicates(["key", "proxy"])
    scores = scores[scores["status"].isin(["ok", "undefined"])]
    wide = scores.pivot(index="key", columns="proxy", values="value")  # noqa: PD010
    accuracy = scores.drop_duplicates("key").set_index("key")["truth"].reindex(wide.index)
    space = spaces.get(one.space)
    features = _of_cells([space.cells(key) for key in wide.index])
    # Trees see the order alone, and some scores are larger than a forest's 32 bits.
    proxies: Floats = wide.rank().to_numpy(float)
    unions = {f"{name} + proxies": np.hstack([own, proxies]) for name, own in features.items()}
    return {**features, "proxies": proxies, **unions}, accuracy.to_numpy(float)


def _tight(one: Result) -> tuple[dict[str, Floats], Floats]:
    """Returns nothing where the ground truth is not at hand, as a person's own file."""
    try:
        table = truth.load(one.space, one.task, one.record["truth"]["variant"])
    except HarnessError:
        return {}, np.empty(0)
    accuracy = table.groupby("key")["value"].mean()
    if len(accuracy) > DRAWN:
        accuracy = accuracy.sample(DRAWN, random_state=0)
    space = spaces.get(one.space)
    cells = pd.Series({key: space.cells(key) for key in accuracy.index})
    cells = cells[[not any(cell.loose for cell in own) for own in cells]]
    return _of_cells(list(cells)), accuracy[cells.index].to_numpy(float)


def _of_cells(cells: Sequence[tuple[CellGraph, ...]]) -> dict[str, Floats]:
    return {"encoding": one_hot(cells), "graph": graph_features(cells)}


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)

"""``job=train_selected``: trains what searches selected, and one row of test errors per search.

Appendix A.5 of Xiang et al. 2021 (Zero-Cost-PT): every architecture that a search seed selected is
trained with every training seed, and means and deviations are over all of these trainings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from harness.config import Config, parse_seeds
from harness.core.errors import HarnessError
from harness.executors.progress import console
from harness.results import record
from harness.results.folder import read_record, refuse_other_conditions, replacing
from harness.results.layout import result_path
from harness.results.stored_table import stored_table
from harness.results.terminal import plain_table
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.architecture_shards import (
    ArchitectureConditions,
    ArchitectureShard,
    Trained,
    distinct,
    train_missing,
)
from harness.training.trained_networks import build, key_to_train, trained_params

TABLE, TRAININGS = "table.csv", "trainings.csv"
IDENTITY = ["search", "search_seed", "seed"]
COLUMNS = [*IDENTITY, "architecture", "params", "epochs", "error", "top5_error"]
SHOWN = ["search", "trainings", "epochs", "error", "std", "best", "paper_error", "paper_std"]
PAPER = ("error", "std", "best", "top5_error", "params")


@dataclass(frozen=True)
class Selected:
    """What one seed of a search selected.

    Attributes:
        search: Its job, space, task and name.
        seed: Of the search.
        key: The architecture.
    """

    search: str
    seed: int
    key: str


def train_selected_architectures(
    config: Config,
    recipe: ArchitectureRecipe,
    searches: Sequence[str] | str,
    search_seeds: object = None,
    *,
    incomplete: bool = False,
) -> Path:
    """Trains what neither the result nor a checkpoint has, and adds it to the result.

    Args:
        config: The run; its seeds are those of the trainings.
        recipe: How to train.
        searches: Folders of searches' results.
        search_seeds: Which of their seeds; None for all.
        incomplete: Whether a part of the images will do.

    Raises:
        HarnessError: If no search is named or it is of another space, the images are not all there,
            the result was made under other conditions, or workers were lost.
        DataError: If images, a search, a checkpoint or the result are damaged.
    """
    chosen = _chosen(config, searches, search_seeds)
    with torch.device("meta"):
        for key in {one.key for one in chosen}:
            build(config.space, key, config.task, recipe)  # what cannot be is told before any work
    under = ArchitectureConditions.of(config, recipe)
    if not incomplete:
        under.refuse_a_part()
    known, _ = _stored(under, chosen, config)
    present = set(known[IDENTITY].itertuples(index=False, name=None))
    missing = [
        (one, seed)
        for one in chosen
        for seed in config.seeds
        if (one.search, one.seed, seed) not in present
    ]
    if missing:
        shards = list(
            dict.fromkeys(ArchitectureShard(under, one.key, seed) for one, seed in missing)
        )
        trained = dict(zip(shards, train_missing(shards, config.executor), strict=True))
        rows = [
            _row(one, trained[ArchitectureShard(under, one.key, s)], under) for one, s in missing
        ]
        _add(under, chosen, rows, trained.values(), config)
    folder = result_path(config)
    table = stored_table(folder, TABLE)[SHOWN]
    title = f"{config.space} · {config.task}: test errors in percent"
    console.print(plain_table(table, title=title, float_format="%.2f"))
    return folder


def _chosen(config: Config, searches: Sequence[str] | str, search_seeds: object) -> list[Selected]:
    """Returns what is to be trained, in the order of the searches.

    Raises:
        HarnessError: If there is no search, or one is not of this kind.
        DataError: If one is damaged.
    """
    folders = [searches] if isinstance(searches, str) else list(searches)
    if not folders:
        raise HarnessError(
            "No search to train the architectures of; name results with searches=[FOLDER,...], "
            "folders that job=swap_nas or job=zero_cost_pt left."
        )
    seeds = None if search_seeds is None else parse_seeds(search_seeds, "search_seeds")
    return [one for folder in folders for one in _selected(Path(folder), seeds, config)]


def _selected(folder: Path, seeds: Sequence[int] | None, config: Config) -> list[Selected]:
    asked = read_record(folder)["config"]
    name = "/".join(
        str(part) for part in (asked["job"], asked["space"], asked["task"], folder.name)
    )
    if asked["space"] != config.space:
        raise HarnessError(
            f"{folder} is a search of {asked['space']}, not of {config.space}; say "
            f"space={asked['space']}."
        )
    table = stored_table(folder, "selected.csv", ["seed"]).rename(columns={"key": "architecture"})
    if table.seed.duplicated().any() or "architecture" not in table:
        raise HarnessError(
            f"{folder} does not hold one selected architecture per seed; name the result of a "
            "single search (job=swap_nas or job=zero_cost_pt)."
        )
    found = table.set_index("seed").architecture
    wanted = found.index.tolist() if seeds is None else seeds
    if lacking := [seed for seed in wanted if seed not in found.index]:
        raise HarnessError(
            f"{folder} has no search seed {lacking[0]}; it has {found.index.tolist()}."
        )
    return [
        Selected(name, int(seed), key_to_train(config.space, config.task, found[seed]))
        for seed in wanted
    ]


def _row(selected: Selected, trained: Trained, under: ArchitectureConditions) -> dict[str, Any]:
    """Returns the row of one training: its last epoch counts, as in DARTS."""
    last = trained.epochs.iloc[-1]
    return {
        "search": selected.search,
        "search_seed": selected.seed,
        "seed": int(last.seed),
        "architecture": selected.key,
        "params": trained_params(under.space, selected.key, under.task, under.recipe),
        "epochs": int(last.epoch),
        "error": 100 - last.test_accuracy,
        "top5_error": 100 - last.test_top5,
    }


def _conditions(under: ArchitectureConditions, chosen: Iterable[Selected]) -> dict[str, Any]:
    """Returns what decides the trainings; searches add up."""
    return under.shared | {"searches": {f"{one.search} {one.seed}": one.key for one in chosen}}


def _stored(
    under: ArchitectureConditions, chosen: Iterable[Selected], config: Config
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Returns the trainings and the record of a result that this run adds to."""
    folder, conditions = result_path(config), _conditions(under, chosen)
    old = refuse_other_conditions(
        folder, conditions, overwrite=config.overwrite, additive=("searches",)
    )
    if old is None:
        return pd.DataFrame(columns=COLUMNS), None
    return stored_table(folder, TRAININGS, COLUMNS), old


def _add(
    under: ArchitectureConditions,
    chosen: Sequence[Selected],
    rows: Sequence[Mapping[str, Any]],
    trained: Iterable[Trained],
    config: Config,
) -> None:
    """Writes the result: what it held, as other runs may have left it meanwhile, and the rows."""
    known, old = _stored(under, chosen, config)
    parts = [part for part in (known, pd.DataFrame(rows, columns=COLUMNS)) if not part.empty]
    trainings = pd.concat(parts, ignore_index=True).drop_duplicates(IDENTITY)
    trainings = trainings.sort_values(IDENTITY, ignore_index=True)
    conditions, computed = _conditions(under, chosen), []
    if old is not None:
        conditions["searches"] = old["conditions"]["searches"] | conditions["searches"]
        computed += old["computed"]
    images = under.images()
    made = record.of_run(
        config,
        conditions=conditions,
        resolved={"trainings": len(trainings)},
        truth={},
        computed=distinct([*computed, *(one for each in trained for one in each.computed)]),
        inputs=images.inputs,
    )
    table = error_table(trainings, config.task)
    table["training_images"] = images.described["training"]["n"]
    with replacing(result_path(config)) as fresh:
        trainings.to_csv(fresh / TRAININGS, index=False, lineterminator="\n")
        table.to_csv(fresh / TABLE, index=False, lineterminator="\n")
        record.write(fresh, made)


def error_table(trainings: pd.DataFrame, task: str) -> pd.DataFrame:
    """Returns a row per search: its errors over all trainings, beside what the paper prints.

    Args:
        trainings: A row per training: ``search``, ``search_seed``, ``params``, ``epochs``,
            ``error`` and ``top5_error`` in percent.
        task: What was trained on.

    Returns:
        Numbers of search seeds and trainings, epochs, mean ``error``, its deviation ``std`` (ddof
        1) over the trainings and ``between``, over the means of the search seeds, ``best``, mean
        ``top5_error``, ``params`` in millions, and the same as ``paper_*``.
    """
    rows = []
    for search, mine in trainings.groupby("search", sort=False):
        means = mine.groupby("search_seed").error.mean()
        printed = _printed().get(str(search), {}).get(task, {})
        rows.append(
            {
                "search": search,
                "search_seeds": len(means),
                "trainings": len(mine),
                "epochs": int(mine.epochs.max()),
                "error": mine.error.mean(),
                "std": mine.error.std(ddof=1),
                "between": means.std(ddof=1),
                "best": mine.error.min(),
                "top5_error": mine.top5_error.mean(),
                "params": mine.params.mean() / 1e6,
            }
            | {f"paper_{name}": printed.get(name) for name in PAPER}
        )
    return pd.DataFrame(rows).astype({f"paper_{name}": float for name in PAPER})


@cache
def _printed() -> dict[str, dict[str, dict[str, float]]]:
    text = Path(__file__).with_name("printed_test_errors.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)

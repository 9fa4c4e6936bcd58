"""The main job as a function: how well does each proxy rank the architectures of a space?

sample -> build -> run passes -> score proxies -> keep -> join with truth -> correlate -> show
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness import truth
from harness.config import Config
from harness.core.errors import HarnessError
from harness.core.files import make_writable
from harness.core.sections import Settings
from harness.executors.progress import console, run_shards
from harness.inputs.image_sets import image_sets
from harness.inputs.inventory import BY_HAND, images_available
from harness.inputs.tasks import tasks
from harness.proxies.contract import ceilings, populations
from harness.proxies.sets import resolved, scored
from harness.results import record
from harness.results.added_rows import DRAW, added, in_order
from harness.results.finished import stored_scores
from harness.results.folder import refuse_other_conditions, replacing
from harness.results.layout import CORRELATIONS, HEATMAP, SCORES, SUMMARY, result_path, work_path
from harness.results.pictures import USUAL, Pictures
from harness.results.reading import sentences
from harness.results.stored_table import stored_table
from harness.results.terminal import dashes, notes, results_table
from harness.scoring.conditions import (
    DEVICES,
    Conditions,
    conditions_at,
    device_type,
    inputs_of,
)
from harness.scoring.scope import Scope
from harness.scoring.shard import IDENTITY, SCHEMA, score_shard, score_table
from harness.scoring.study import Study, failures_last, with_populations
from harness.spaces.space import spaces


@dataclass(frozen=True)
class Evaluation:
    """What a run asked for, the ground truth, and the scores joined with it.

    Attributes:
        study: Architectures, proxies and conditions.
        conditions: What decides the values, as the record says it.
        accuracies: The ground truth.
        scores: One row per draw, proxy and seed, the accuracy as ``truth``.
        seconds: How long it took.
    """

    study: Study
    conditions: dict[str, Any]
    accuracies: pd.DataFrame
    scores: pd.DataFrame
    seconds: float


def evaluate(config: Config, scope: Scope, settings: Settings) -> Evaluation:
    """Scores what is missing and joins it with the ground truth.

    Raises:
        HarnessError: If a name or a setting is wrong, or workers were lost.
        DataError: If truth or images cannot be had.
    """
    started = time.monotonic()
    _check_names(config, scope)
    accuracies = truth.load(config.space, config.task, config.truth.variant, config.truth.path)
    study = study_of(config, scope, settings, accuracies.key)
    _tell_limits(config, scope, settings, study, len(accuracies))
    conditions = conditions_of(study, accuracies, config, scope, settings)
    refuse_other_conditions(result_path(config), conditions, overwrite=config.overwrite)
    table = score_table(work_path(config, "scores", config.space, config.task))
    earlier = stored_scores(Path(config.results), config.space, config.task)
    shards = study.missing(_stored(table.read(), earlier), table.folder, retry=scope.retry)
    if shards:  # what is wrong with the folder is told before any work
        make_writable(table.folder)
    run_shards(
        score_shard,
        shards,
        config.executor,
        title=_title(config, study),
        done=study.size - sum(len(shard.keys) for shard in shards),
        total=study.size,
    )
    stored = _stored(table.read(), earlier)
    if study.missing(stored, table.folder):
        raise HarnessError(
            f"Scores are still missing in {table.folder} although all work was done; if workers "
            "ran on other machines, choose a results= folder that all of them share."
        )
    joined = _joined(study.scores(stored), accuracies, config.space)
    rows = in_order(with_populations(joined, study.proxies, settings), study.proxies)
    return Evaluation(study, conditions, accuracies, rows, time.monotonic() - started)


def _title(config: Config, study: Study) -> str:
    """Says what is being scored, in few words."""
    seeds = config.seeds
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    return f"{config.space} {config.task}, {named}, {len(study.scored)} proxies"


def _check_names(config: Config, scope: Scope) -> None:
    """Refuses what does not exist before anything is read, downloaded or started."""
    spaces.get(config.space).task(config.task)
    resolved(scope.proxies, scope.proxy_sets)
    device_type(config.device)
    config.executor.check_here()


def _joined(scores: pd.DataFrame, accuracies: pd.DataFrame, space: str) -> pd.DataFrame:
    """Adds the accuracy as ``truth``; of another spelling of a cell, that of the cell."""
    known = pd.Series(accuracies["value"].to_numpy(), index=accuracies["key"])
    keys = pd.Series(scores["key"].unique())
    of_keys = known.reindex(keys).set_axis(keys)
    for key in of_keys.index[of_keys.isna()]:
        of_keys[key] = known.get(spaces.get(space).benchmark_key(key), math.nan)
    columns = [*SCHEMA.names[:5], "draw", *SCHEMA.names[5:], "truth"]
    return scores.assign(truth=scores["key"].map(of_keys))[columns]


def study_of(config: Config, scope: Scope, settings: Settings, pool: Collection[str]) -> Study:
    """Works out what a run asks for; ``pool`` holds the architectures with ground truth.

    Raises:
        HarnessError: If a proxy, a task or a setting is wrong.
    """
    space = spaces.get(config.space)
    space.task(config.task)
    samples = {seed: scope.drawn(space, seed, pool) for seed in config.seeds}
    names = resolved(scope.proxies, scope.proxy_sets)
    asked = Conditions(
        config.space,
        config.task,
        config.inputs,
        scope.batch_size,
        config.device,
        config.channels_last,
        settings,
    )
    to_score = scored(names, settings)
    there = conditions_at(asked, to_score, pool)
    return Study(there, names, to_score, samples, scope.any_device)


def _stored(shards: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of shards and of finished results, each score once, failures last."""
    rows: pd.DataFrame = pd.concat([shards, earlier[SCHEMA.names]], ignore_index=True)
    return failures_last(rows).drop_duplicates(IDENTITY, ignore_index=True)


def _tell_limits(
    config: Config, scope: Scope, settings: Settings, study: Study, available: int
) -> None:
    if scope.n > available and not scope.replace and scope.sample == "uniform":
        console.print(
            f"n={scope.n} is more than the {available} architectures of {config.space} "
            f"with ground truth on {config.task}; all of them are used.",
            soft_wrap=True,
        )
    for used in study.conditions.settings:
        asked = settings.of(type(used))
        shown, wanted = getattr(used, "images", 0), getattr(asked, "images", 0)
        if isinstance(shown, int) and isinstance(wanted, int) and shown < wanted:
            console.print(
                f"{wanted} images ({type(used).__name__}) are more than the batch of "
                f"{scope.batch_size}; all of them are shown.",
                soft_wrap=True,
            )


def conditions_of(
    study: Study, accuracies: pd.DataFrame, config: Config, scope: Scope, settings: Settings
) -> dict[str, Any]:
    """Returns what decides the values of a result, as its record says it."""
    info = accuracies.attrs
    ranking = [populations.get(name) for name in study.proxies if name in populations]
    return {
        **study.conditions.shared(),
        "truth": {"variant": info["variant"], "n": info["n"], **record.sources(config, info)},
        **({"device": " or ".join(DEVICES)} if scope.any_device else {}),
        "sample": scope.drawing,
        "undefined": scope.undefined,
        "proxies": {
            **{name: study.conditions.own(name) for name in study.scored},
            **{one.name: one.conditions(settings) for one in ranking},
        },
    }


def write(evaluation: Evaluation, config: Config, scope: Scope, pictures: Pictures = USUAL) -> Path:
    """Leaves the result in its folder; what was there under the same conditions adds up.

    Returns:
        The folder ``results/<study>/<space>/<task>``.

    Raises:
        HarnessError: If what is there was made under other conditions.
    """
    from harness.stats.summary import COLUMNS

    folder = result_path(config)
    conditions = dict(evaluation.conditions)
    old = refuse_other_conditions(folder, conditions, overwrite=config.overwrite)
    rows, summary = evaluation.scores, None
    blank = evaluation.study.conditions.blank
    inputs = conditions["inputs"] if blank else inputs_of(config.task, config.inputs)
    if old is not None:
        if blank:  # what the earlier scores looked at is still so
            conditions["inputs"], inputs = old["conditions"]["inputs"], old["inputs"]
        before = stored_table(folder, SCORES)
        rows = added(before, rows)
        conditions["proxies"] = old["conditions"]["proxies"] | conditions["proxies"]
        same = [*DRAW, "status"]  # what failed may have been scored again
        drawn = pictures.are_those(old["config"])
        if drawn and len(rows) == len(before) and rows[same].equals(before[same]):
            kept = stored_table(folder, SUMMARY)
            # Another version's statistics are made anew from the same scores.
            summary = kept if list(kept) == COLUMNS else None
    if summary is None:
        summary = _write(
            folder,
            rows,
            conditions,
            inputs,
            evaluation,
            config=config,
            scope=scope,
            pictures=pictures,
        )
    _show(rows, summary, title=f"{config.space} · {config.task}")
    _explain(
        folder,
        sentences(
            summary, config, inputs, evaluation.accuracies.attrs, own_images=_can_have_own(config)
        ),
    )
    return folder


def _can_have_own(config: Config) -> bool:
    """Tells whether the task's own images are here or can be downloaded."""
    own = tasks.get(config.task).images
    return bool(own) and images_available(image_sets.get(own)) != BY_HAND


def _explain(folder: Path, told: Iterable[str]) -> None:
    """Prints where the picture is, and how to read what the table says."""
    from rich.console import Console

    for line in (f"Heat map: {folder / HEATMAP}.png", *told):
        Console().print(line, highlight=False, markup=False, soft_wrap=True)


def _write(
    folder: Path,
    rows: pd.DataFrame,
    conditions: dict[str, Any],
    inputs: Mapping[str, Any],
    evaluation: Evaluation,
    *,
    config: Config,
    scope: Scope,
    pictures: Pictures,
) -> pd.DataFrame:
    from harness import run_pictures, stats

    correlations = stats.correlations(rows, undefined=scope.policy)
    summary = stats.summary(
        rows, undefined=scope.policy, by_seed=correlations, ceilings=ceilings(conditions)
    )
    resolved_values = {
        "proxies": list(dict.fromkeys(rows.proxy)),
        "seeds": sorted(map(int, rows.seed.unique())),
        "n": int(summary.n.max()),
        "settings": {
            name: value
            for own in conditions["proxies"].values()
            for name, value in own["settings"].items()
        },
        "seconds_of_this_run": round(evaluation.seconds, 1),
    }
    with replacing(folder) as fresh:
        for frame, name in ((correlations, CORRELATIONS), (summary, SUMMARY)):
            frame.to_csv(fresh / name, index=False, lineterminator="\n")
        rows.to_parquet(fresh / SCORES, index=False)
        run_pictures.draw(
            fresh,
            rows,
            correlations,
            summary,
            pictures,
            truth=evaluation.accuracies.attrs,
            inputs=inputs,
        )
        record.write(
            fresh,
            record.of_run(
                config,
                conditions=conditions,
                resolved=resolved_values,
                truth=evaluation.accuracies.attrs,
                computed=record.machines(rows.machine),
                inputs=inputs,
            ),
        )
    return summary


def _show(joined: pd.DataFrame, summary: pd.DataFrame, title: str) -> None:
    """Prints the closing table, and once per proxy why scores are missing."""
    from rich.console import Console

    mean = joined.groupby("proxy").seconds.mean()
    seconds = dict(zip(map(str, mean.index), mean, strict=True))
    shown = Console()
    shown.print(results_table(summary, seconds, title=title, width=shown.width))
    for line in dashes(summary, joined):
        shown.print(line, highlight=False, markup=False, soft_wrap=True)
    for line in notes(summary):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    nowhere = (joined.status == "undefined").groupby(joined.proxy).transform("all")  # told above
    failed = joined[(joined.status != "ok") & ~nowhere]
    for (proxy, status, message), rows in failed.groupby(["proxy", "status", "message"]):
        line = f"{proxy}: {len(rows)} scores {status} ({message})"
        console.print(line, highlight=False, markup=False, soft_wrap=True)

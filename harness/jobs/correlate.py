"""``job=correlate``, the main job: how well does each proxy rank the architectures of a space?

sample -> build -> run passes -> score proxies -> keep -> join with truth -> correlate -> show
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness import figures, provenance, stats, truth
from harness.config import Config
from harness.errors import HarnessError
from harness.files import atomic, make_writable
from harness.jobs.base import jobs
from harness.results import CORRELATIONS, RECORD, SCORES, SUMMARY
from harness.runs.plan import Plan, plan
from harness.runs.protocol import images_of
from harness.runs.scoring import score_shard, score_store
from harness.runs.work import console, run_shards
from harness.spaces import spaces


@dataclass(frozen=True)
class Scored:
    """What a run asked for, the ground truth, and the scores joined with it."""

    plan: Plan
    accuracies: pd.DataFrame
    joined: pd.DataFrame
    folder: Path


def correlate(config: Config) -> Path:
    """Scores what is missing, joins it with the ground truth and writes tables and pictures.

    The tables hold every seed that is complete in the store for this configuration, so that
    several runs with one seed each add up to one result.

    Returns:
        The folder ``results/<space>/<task>``.
    """
    started = time.monotonic()
    scored = score_sample(config)
    joined, folder = scored.joined, scored.folder
    correlations = stats.correlations(joined, undefined=config.policy)
    summary = stats.summary(joined, undefined=config.policy, by_seed=correlations)
    _write_tables(folder, joined, correlations, summary)
    _draw(folder, joined, correlations, summary, _subtitle(config, joined, scored.accuracies))
    resolved = {
        "proxies": scored.plan.proxies,
        "seeds": sorted(joined.seed.unique().tolist()),
        "n": int(summary.n.max()),
        "settings": asdict(scored.plan.protocol.settings),
        "seconds_of_this_run": round(time.monotonic() - started, 1),
    }
    provenance.write(folder / RECORD, config, resolved, scored.accuracies.attrs)
    _report(joined, summary, title=f"{config.space} · {config.task}")
    return folder


def score_sample(config: Config) -> Scored:
    """Runs the shards that the store lacks and returns all complete scores with their truth."""
    spaces.get(config.space).task(config.task)
    accuracies = truth.load(config.space, config.task, config.truth.variant, config.truth.path)
    wanted = plan(config, pool=list(accuracies.key))
    if config.n > len(wanted.pool) and not config.replace:
        console.print(
            f"n={config.n} is more than the {len(wanted.pool)} architectures of {config.space} "
            f"with ground truth on {config.task}; all of them are used.",
            soft_wrap=True,
        )
    for name, asked in (("swap", config.swap.images), ("ntk", config.ntk.images)):
        if name in wanted.scored and asked > config.batch_size:
            console.print(
                f"{name}.images={asked} is more than the batch of {config.batch_size}; "
                "all of them are shown.",
                soft_wrap=True,
            )
    folder = Path(config.results) / config.space / config.task
    store = score_store(folder / "shards")
    shards = wanted.missing(store.read(), store.folder, retry=config.retry)
    if shards:  # what is wrong with the images or the folder is told before any work
        wanted.protocol.batch(shards[0].seed)
        make_writable(store.folder)
    run_shards(
        score_shard,
        shards,
        config.executor,
        title=f"{config.space} {config.task}",
        done=wanted.size - sum(len(shard.keys) for shard in shards),
        total=wanted.size,
    )
    stored = store.read()
    if wanted.missing(stored, store.folder):
        raise HarnessError(
            f"Scores are still missing in {store.folder} although all work was done; if workers "
            "ran on other machines, choose a results= folder that all of them share."
        )
    known = accuracies[["key", "value"]].rename(columns={"value": "truth"})
    joined = wanted.complete(stored).merge(known, on="key", how="left")
    return Scored(wanted, accuracies, joined, folder)


def _write_tables(
    folder: Path, joined: pd.DataFrame, correlations: pd.DataFrame, summary: pd.DataFrame
) -> None:
    for frame, name in ((correlations, CORRELATIONS), (summary, SUMMARY)):
        figures.write_tables(frame, (folder / name).with_suffix(""), ("csv",))
    with atomic(folder / SCORES) as temporary:
        joined.to_parquet(temporary, index=False)


def _draw(
    folder: Path,
    joined: pd.DataFrame,
    correlations: pd.DataFrame,
    summary: pd.DataFrame,
    subtitle: str,
) -> None:
    title = f"{joined.space.iloc[0]} · {joined.task.iloc[0]}"
    heatmap = figures.correlation_heatmap(correlations, summary, title, subtitle)
    figures.save(heatmap, folder / "heatmap")
    figures.save(figures.scatter(joined, summary, title, subtitle), folder / "scatter", ("png",))


def _subtitle(config: Config, joined: pd.DataFrame, accuracies: pd.DataFrame) -> str:
    """Says what every number of a picture rests on: n, which accuracy, which images."""
    info = accuracies.attrs
    per_seed = joined.groupby("seed").key.nunique().max()
    return (
        f"n = {per_seed} architectures per seed. Truth: {info['metric']}, {info['split']} "
        f"({info['variant']}). {images_of(config)}"
    )


def _report(joined: pd.DataFrame, summary: pd.DataFrame, title: str) -> None:
    """Prints the closing table, and once per proxy why scores are missing."""
    mean = joined.groupby("proxy").seconds.mean()
    seconds = dict(zip(map(str, mean.index), mean, strict=True))
    Console().print(figures.results_table(summary, seconds, title=title))
    failed = joined[joined.status != "ok"]
    for (proxy, status, message), rows in failed.groupby(["proxy", "status", "message"]):
        line = f"{proxy}: {len(rows)} scores {status} ({message})"
        console.print(line, highlight=False, markup=False, soft_wrap=True)


jobs.add("correlate", correlate)

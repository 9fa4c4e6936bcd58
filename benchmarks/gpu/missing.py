"""What a study lacks, as shards that a machine without truth or finished scores can work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from harness import truth
from harness.command_line.arguments import config_folder, job_of, readable
from harness.command_line.choices import register
from harness.command_line.compose import from_mapping
from harness.config import Config
from harness.core.sections import Settings, score_sections
from harness.evaluation import study_of
from harness.executors.progress import blocks
from harness.jobs.job import jobs
from harness.results.finished import stored_scores
from harness.results.layout import work_path
from harness.scoring.scope import Scope
from harness.scoring.shard import SCHEMA, ScoreShard, score_table

SHARD_SECONDS = 20.0  # on a CPU: what is unfinished when the time is up is lost


def missing_shards(command_lines: Sequence[Sequence[str]]) -> list[ScoreShard]:
    """Returns the shards that neither a CPU nor a GPU has finished, dearest columns first."""
    found: list[tuple[float, ScoreShard]] = []
    for arguments in command_lines:
        if job_of(arguments).name != "correlate":
            continue
        found += _of_column(composed(arguments))
    # One seed of every column before the others; sorting keeps the order of samples.
    ordered = sorted(found, key=lambda one: (one[1].seed, -one[0]))
    return list(dict.fromkeys(shard for _, shard in ordered))  # two runs may lack the same


def composed(arguments: Sequence[str]) -> Config:
    """Returns the configuration that a command line means."""
    register()
    with initialize_config_dir(str(config_folder().resolve()), version_base="1.3"):
        values = compose("config", overrides=readable(arguments))
    return from_mapping(OmegaConf.to_container(values, resolve=True))  # type: ignore[arg-type]


def _of_column(config: Config) -> list[tuple[float, ScoreShard]]:
    """Returns what a run would score, with the seconds that an architecture takes on a CPU."""
    config = replace(config, study=config.study or jobs.get(config.job).study)
    accuracies = truth.load(config.space, config.task, config.truth.variant, config.truth.path)
    settings = Settings(*map(config.of, score_sections.values()))
    scope = replace(config.of(Scope), any_device=True)
    study = study_of(replace(config, device="cuda"), scope, settings, list(accuracies.key))
    table = score_table(work_path(config, "scores", config.space, config.task))
    earlier = stored_scores(Path(config.results), config.space, config.task)
    stored = pd.concat([table.read(), earlier[SCHEMA.names]], ignore_index=True)
    seconds = seconds_per_architecture(stored, study.scored)
    found = []
    for shard in study.missing(stored, table.folder):
        cost = sum(seconds.get(name, 0.0) for name in shard.proxies)
        size = max(int(SHARD_SECONDS / cost), 1) if cost else len(shard.keys)
        found += [(cost, replace(shard, keys=tuple(k))) for k in blocks(shard.keys, size)]
    return found


def seconds_per_architecture(stored: pd.DataFrame, names: Sequence[str]) -> dict[str, float]:
    """Returns the mean seconds of each proxy, where some have been scored."""
    means = stored[stored.proxy.isin(names)].groupby("proxy").seconds.mean()
    return {str(name): float(value) for name, value in means.items()}

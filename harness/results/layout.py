"""Names and places of results: ``results/<study>/<space>/<task>[/<name>]``."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config

RECORD = "run.json"
SCORES = "scores.parquet"
CORRELATIONS, SUMMARY = "correlations.csv", "summary.csv"
HEATMAP = "heatmap"
WORK = ".work"
"""Folder of what runs keep to go on from: shards of every study, never committed."""
TRIALS = ("demo", "smoke")
"""Studies of trial runs, never committed."""
MAIN = "main"
"""Study of the main job; every other job fills in its own before it runs."""


def study_of(config: Config) -> str:
    """Returns the study of a run."""
    return config.study or MAIN


def result_path(config: Config, *name: str) -> Path:
    """Returns where a run leaves its result.

    Args:
        config: The run.
        name: Further folders, where a job leaves several results per space and task.
    """
    return Path(config.results, study_of(config), config.space, config.task, *name)


def work_path(config: Config, *name: str) -> Path:
    """Returns where a run keeps what it goes on from; studies of the same conditions share it."""
    return Path(config.results, WORK, *name)

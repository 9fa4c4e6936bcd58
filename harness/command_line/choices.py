"""Hands the registries to Hydra, so that every registered name is a choice of its group."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hydra.core.config_store import ConfigStore

from harness.command_line.keys import GROUPS, job_keys, names_of, shared_keys
from harness.config import Config, SharedKeys
from harness.executors.executor import executors
from harness.inputs.selection import InputSettings
from harness.jobs.job import Job, jobs

GLOBAL = "_global_"


def register() -> None:
    """Stores the shared keys and every choice of every group."""
    store = ConfigStore.instance().store
    chosen = asdict(SharedKeys())
    usual = Config()
    chosen |= {
        "inputs": usual.inputs.source,
        "truth": usual.truth.variant,
        "executor": usual.executor.name,
    }
    # The job comes last: Hydra expands groups from the end, and a job may unset the space.
    defaults = ["_self_", *({group: chosen[group]} for group in GROUPS)]
    store(name="shared", node={"defaults": defaults, **shared_keys()})
    for job in jobs.values():
        store(group="job", name=job.name, node=_job_node(job), package=GLOBAL)
    for group in ("space", "task"):
        for name in names_of(group):
            store(group=group, name=name, node={group: name}, package=GLOBAL)
    for name in names_of("inputs"):
        store(group="inputs", name=name, node=asdict(InputSettings(name)))
    for name in names_of("truth"):
        store(group="truth", name=name, node={"variant": name, "path": None})
    for executor in executors.values():
        store(group="executor", name=executor.name, node=asdict(executor.defaults))


def _job_node(job: Job) -> dict[str, Any]:
    unset = [] if job.one_space else [{"override /space": None}, {"override /task": None}]
    return {"defaults": ["_self_", *unset], **job_keys(job)}

"""Hands the registries to Hydra, so that every registered name is a choice of its group."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hydra.core.config_store import ConfigStore

from harness.config import Config, SharedKeys
from harness.core.sections import section_name
from harness.executors.executor import executors
from harness.inputs import image_sets, selection
from harness.inputs.tasks import tasks
from harness.jobs.job import Job, jobs
from harness.spaces.darts_candidates import CANDIDATES
from harness.spaces.space import spaces
from harness.truth import records

GLOBAL = "_global_"
GROUPS = ("space", "task", "inputs", "truth", "executor", "job")


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
    named = {*spaces.names(), *CANDIDATES}  # some spaces have a supernet and no more
    for group, names in (("space", sorted(named)), ("task", tasks.names())):
        for name in names:
            store(group=group, name=name, node={group: name}, package=GLOBAL)
    for name in (*selection.WORDS, *image_sets.choices()):
        store(group="inputs", name=name, node=asdict(selection.InputSettings(name)))
    for name in records.choices():
        store(group="truth", name=name, node={"variant": name, "path": None})
    for executor in executors.values():
        store(group="executor", name=executor.name, node=asdict(executor.defaults))


def shared_keys() -> dict[str, Any]:
    """Returns the keys that every job has, with their defaults; those of groups are filled in."""
    keys = asdict(SharedKeys())
    return {key: "" if key in GROUPS else value for key, value in keys.items()}


def job_keys(job: Job) -> dict[str, Any]:
    """Returns the keys that a job adds, with their defaults."""
    keys: dict[str, Any] = {"job": job.name, **asdict(job.options())}
    for kind in job.sections:
        name, values = section_name(kind), asdict(kind())
        keys |= {name: values} if name else values
    return keys


def _job_node(job: Job) -> dict[str, Any]:
    unset = [] if job.one_space else [{"override /space": None}, {"override /task": None}]
    return {"defaults": ["_self_", *unset], **job_keys(job)}

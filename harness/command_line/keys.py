"""The keys that a command line can set, with their defaults, and the names that some of them take.

Nothing here needs Hydra, and only what is asked for is imported: the shell asks at every tab.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from harness.config import SharedKeys, TruthSettings
from harness.core.sections import section_name
from harness.executors.executor import executors
from harness.inputs import selection
from harness.inputs.tasks import tasks
from harness.jobs.job import Job, jobs

GROUPS = ("space", "task", "inputs", "truth", "executor", "job")


def names_of(group: str) -> list[str]:
    """Returns the choices of a group, a word of ``GROUPS``."""
    return {
        "space": _spaces,
        "task": tasks.names,
        "inputs": _inputs,
        "truth": _truths,
        "executor": executors.names,
        "job": jobs.names,
    }[group]()


def _spaces() -> list[str]:
    from harness.spaces.darts_candidates import CANDIDATES
    from harness.spaces.space import spaces

    return sorted({*spaces.names(), *CANDIDATES})  # some have a supernet and no more


def _inputs() -> list[str]:
    from harness.inputs import image_sets

    return [*selection.WORDS, *image_sets.choices()]


def _truths() -> list[str]:
    from harness.truth import records

    return records.choices()


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


def known_keys(job: Job) -> dict[str, Any]:
    """Returns every key that a run of a job can set, in alphabetical order, with its default.

    Those of sections have a dot; the section itself, whose value is a mapping, is there too.
    """
    keys = shared_keys() | job_keys(job)
    for name, kind in (("inputs", selection.InputSettings), ("truth", TruthSettings)):
        keys[name] = vars(kind())
    keys["executor"] = {k: v for one in executors.values() for k, v in vars(one.defaults).items()}
    return dict(sorted(_dotted(keys)))


def _dotted(keys: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in keys.items():
        yield f"{prefix}{key}", value
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{prefix}{key}.")

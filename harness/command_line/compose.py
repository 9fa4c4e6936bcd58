"""Turns composed values into the record of a run: every value is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from harness.command_line.keys import known_keys
from harness.config import Config
from harness.core.errors import HarnessError, unknown
from harness.core.sections import section_name
from harness.executors.executor import executors
from harness.jobs.configured import configured, mapping
from harness.jobs.job import Job, jobs

S = TypeVar("S")


def from_mapping(values: Mapping[Any, Any]) -> Config:
    """Checks a composed configuration and returns it as a record.

    Args:
        values: Keys and values, resolved; what is missing has its default.

    Raises:
        HarnessError: If a key is unknown, a value has the wrong type or makes no sense.
    """
    given = dict(values)
    config = configured(given, _record)
    for key in given:
        raise unknown_key(str(key), jobs.get(config.job))
    return config


def _record(kind: type[S], values: Any) -> S:
    """Returns a record with some of its values given."""
    section = section_name(kind)
    values = mapping(section, values)
    schema = OmegaConf.structured(kind)
    OmegaConf.set_readonly(schema, False)  # which OmegaConf derives from frozen dataclasses
    try:
        found = OmegaConf.to_object(OmegaConf.merge(schema, values))
    except ConfigKeyError as error:
        known = (f"{section}.{field.name}" for field in fields(kind))  # type: ignore[arg-type]
        raise unknown("configuration key", f"{section}.{error.key}", known) from error
    except (OmegaConfBaseException, ValueError, AssertionError) as error:
        key = f"{section}.{getattr(error, 'full_key', None) or ''}".strip(".")
        raise _wrong(key, str(error).splitlines()[0].rstrip(".")) from error
    assert isinstance(found, kind)
    return found


def _wrong(key: str, reason: str) -> HarnessError:
    return HarnessError(f"The configuration value {key!r} is wrong: {reason}.")


def unknown_key(key: str, job: Job) -> HarnessError:
    """Returns the error for a key that a job or an executor lacks, naming those that have it."""
    section, _, name = key.rpartition(".")
    if section == "executor":
        having = [one.name for one in executors.values() if name in vars(one.defaults)]
        if having:
            return HarnessError(
                f"The executor that is chosen has no key {key!r}; it belongs to executor="
                f"{' and executor='.join(having)}."
            )
    others = [one.name for one in jobs.values() if key in known_keys(one)]
    if others:
        return HarnessError(
            f"job={job.name} has no key {key!r}; it belongs to job={' and job='.join(others)}."
        )
    return unknown("configuration key", key, known_keys(job))

"""Puts a configuration together from keys and values, typed ones or those of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from harness.config import Config, SharedKeys, TruthSettings
from harness.core.errors import HarnessError
from harness.core.sections import Settings, section_name
from harness.executors.executor import executors
from harness.inputs.selection import InputSettings
from harness.jobs.job import jobs

S = TypeVar("S")


class Maker(Protocol):
    """Makes a record of settings from some of its values; the others have their defaults."""

    def __call__(self, kind: type[S], values: Any) -> S:
        """Makes it.

        Raises:
            HarnessError: If a key is unknown or a value has the wrong type or makes no sense.
        """


def configured(given: dict[Any, Any], make: Maker) -> Config:
    """Returns the configuration of a job, and takes what it is made of out of ``given``.

    Args:
        given: Keys and values; what is left there is no key of the job.
        make: Makes each record.

    Raises:
        HarnessError: If the job does not exist, or from ``make``.
    """
    job = jobs.get(str(given.get("job", Config.job)))
    shared = make(SharedKeys, _own(SharedKeys, given))
    executor = {"name": Config().executor.name} | mapping("executor", given.pop("executor", {}))
    return Config(
        **vars(shared),
        inputs=make(InputSettings, given.pop("inputs", {})),
        truth=make(TruthSettings, given.pop("truth", {})),
        executor=make(executors.get(str(executor["name"])).settings, executor),
        sections=Settings(*(make(kind, _own(kind, given)) for kind in job.sections)),
        options=vars(make(job.options, _own(job.options, given))),
    )


def _own(kind: type[Any], given: dict[Any, Any]) -> Any:
    """Takes the values of a section, or of the keys at the top level, out of ``given``."""
    if name := section_name(kind):
        return given.pop(name, {})
    return {field.name: given.pop(field.name) for field in fields(kind) if field.name in given}


def mapping(section: str, values: Any) -> dict[Any, Any]:
    """Returns the keys and values of a section.

    Raises:
        HarnessError: If they are none.
    """
    if not isinstance(values, Mapping):
        raise HarnessError(
            f"{section}={values} is wrong; give values to the keys of {section}, as in "
            f"{section}.KEY=VALUE."
        )
    return dict(values)

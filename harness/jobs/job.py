"""What a job is: a function of the configuration and of the settings that it names by type.

    @job()
    def swap_nas(config: Config, search: SwapNasSettings, swap: SwapSettings) -> Path:
        \"\"\"Searches a space with SWAP-NAS or a baseline, once per seed.\"\"\"

A parameter whose type is a section makes its keys known (``search.mu``), one of type ``Settings``
those of all passes and proxies, and a plain one with a default is a key of its own (``format``).
Files of jobs import what computes within the function, so that the command line starts at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.config import Config
from harness.core.errors import HarnessError
from harness.core.registry import Registry
from harness.core.sections import Settings, described_in, is_section, score_sections, section
from harness.core.versions import annotations_of

F = TypeVar("F", bound=Callable[..., Path | None])


@dataclass(frozen=True)
class Job:
    """A registered job.

    Attributes:
        name: Its name on the command line.
        function: Takes the configuration and what ``records`` and ``options`` name; returns where
            the result lies, if it leaves one.
        records: Parameter -> record of settings, or ``Settings`` for those of passes and proxies.
        options: The job's own keys, made into a record.
        study: Name of the study that its results belong to unless the user names one.
        one_space: Whether a run is about one space and task; if not, none is chosen by default.
        doc: The cleaned docstring.
    """

    name: str
    function: Callable[..., Path | None]
    records: dict[str, type[Any]]
    options: type[Any]
    study: str
    one_space: bool
    doc: str

    @property
    def summary(self) -> str:
        """The first paragraph of its docstring."""
        return self.doc.split("\n\n", maxsplit=1)[0].replace("\n", " ")

    @property
    def sections(self) -> list[type[Any]]:
        """The records whose keys a configuration of this job has."""
        kinds: list[type[Any]] = []
        for kind in self.records.values():
            kinds += score_sections.values() if kind is Settings else [kind]
        return kinds

    def run(self, config: Config) -> Path | None:
        """Runs the job with its parts of the configuration, in its study unless one is named."""
        config = replace(config, study=config.study or self.study)
        of_scores = Settings(*map(config.of, score_sections.values()))
        records = {
            name: of_scores if kind is Settings else config.of(kind)
            for name, kind in self.records.items()
        }
        return self.function(config, **records, **config.options)


jobs: Registry[Job] = Registry("job", home="harness.jobs")


def job(*, name: str = "", study: str = "", one_space: bool = True) -> Callable[[F], F]:
    """Registers the decorated function as a job.

    Args:
        name: Its name; the function's by default.
        study: Name of the study of its results; its own name by default.
        one_space: Whether a run is about one space and task.

    Raises:
        HarnessError: If a parameter is neither a record of settings nor has a default.
    """

    def register(function: F) -> F:
        hints = dict(list(annotations_of(function).items())[1:])
        records = {n: kind for n, kind in hints.items() if kind is Settings or is_section(kind)}
        own, doc = name or function.__name__, inspect.getdoc(function) or ""
        plain = {key: kind for key, kind in hints.items() if key not in records}
        options = _options(own, function, plain, doc)
        jobs.add(own, Job(own, function, records, options, study or own, one_space, doc))
        return function

    return register


def _options(name: str, function: Callable[..., Any], kinds: dict[str, Any], doc: str) -> type[Any]:
    """Makes a record of the plain parameters of a job, so that they are checked as all keys are."""
    keys = []
    for key, kind in kinds.items():
        default = inspect.signature(function).parameters[key].default
        if default is inspect.Parameter.empty:
            raise HarnessError(
                f"Every parameter of the job {name!r} behind the first must be a record of "
                "settings or have a default."
            )
        keys.append((key, Any if kind is object else kind, field(default=default)))
    said = "".join(f"\n    {key}: {words}" for key, words in described_in(doc, "Args").items())
    made = make_dataclass(f"{name.title()}Options", keys, frozen=True)
    made.__doc__ = f"Keys of job={name}.\n\nAttributes:{said}\n"
    made.__module__ = function.__module__
    return section("")(made)

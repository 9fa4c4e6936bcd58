"""What ``run.json`` says of a result: what was asked for, what it rests on, who computed it."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import harness
from harness.config import Config
from harness.core.machine import commit
from harness.core.sections import section_name
from harness.results.layout import RECORD
from harness.scoring.conditions import inputs_of
from harness.sources.catalogue import source
from harness.sources.places import checksum

PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "matplotlib", "hydra-core")


def write(folder: Path, record: Mapping[str, Any]) -> None:
    """Writes a record with the time, the commit and the versions of the code that wrote it.

    It names no folder and no user of this machine.

    Args:
        folder: The result's folder, usually from ``replacing``.
        record: What was made, and how: ``conditions`` are what another run is held against.
    """
    code = {
        "harness": harness.__version__,
        "commit": commit(),
        "versions": {"python": platform.python_version(), **_versions()},
    }
    written = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"written": written, **record, **code}, indent=2, default=str)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")


def of_run(
    config: Config,
    *,
    conditions: Mapping[str, Any],
    resolved: Mapping[str, Any],
    truth: Mapping[Any, Any],
    computed: Iterable[Mapping[str, Any]],
    inputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the record of a run.

    Args:
        config: The configuration as it was asked for; only the job's own sections are in it.
        conditions: What decides the values; see ``harness.results.folder``.
        resolved: What the run made of the configuration: proxies, seeds, seconds.
        truth: The ground truth's description; ``sources`` names its files.
        computed: The machines that computed, as ``harness.core.machine`` describes them.
        inputs: What the images were, unless it is what the configuration says.
    """
    if inputs is None:
        inputs = inputs_of(config.task, config.inputs)
    return {
        "config": asked(config),
        "conditions": conditions,
        "resolved": resolved,
        "truth": dict(truth) | {"files": sources(config, truth)},
        "inputs": dict(inputs),
        "computed": list(computed),
    }


def machines(rows: Iterable[str], before: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Returns the machines that computed a result, each with how many of its scores.

    Args:
        rows: The column ``machine`` of the new scores.
        before: What the record of the result that they are added to says.
    """
    counts = Counter(text for text in rows if text)
    for one in before:
        described = {name: value for name, value in one.items() if name != "scores"}
        counts[json.dumps(described, sort_keys=True)] += one["scores"]
    return [{**json.loads(text), "scores": n} for text, n in counts.most_common()]


def asked(config: Config) -> dict[str, Any]:
    """Returns the configuration as keys and values, without where results lie on this machine."""
    values = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name not in ("results", "overwrite", "sections", "options")
    }
    for key in ("inputs", "truth"):
        values[key] = dataclasses.asdict(values[key])
    # Folders, addresses and accounts of a cluster are this machine's; how wide it works is nothing.
    values["executor"] = {"name": config.executor.name, "threads": config.executor.threads}
    if config.truth.path is not None:
        values["truth"]["path"] = Path(config.truth.path).name
    for section in config.sections:
        name, own = section_name(type(section)), dataclasses.asdict(section)  # type: ignore[call-overload]
        values |= {name: own} if name else own
    return values | dict(config.options)


def sources(config: Config, truth: Mapping[Any, Any]) -> dict[str, str]:
    """Returns file or folder -> checksum, with the algorithm's name before it."""
    found = {}
    for name in truth.get("sources", ()):
        entry = source(name)
        found[name] = f"{entry.algorithm}:{entry.digest}" if entry.digest else "none published"
    if config.truth.path is not None:
        own = Path(config.truth.path)
        found[own.name] = f"sha256:{checksum(own)}"
    return found


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

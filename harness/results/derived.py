"""Results that are made from other results: what they rest on stands in their record."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.config import Config
from harness.results import record
from harness.results.layout import RECORD
from harness.sources.places import checksum


def write_record(folder: Path, config: Config, **said: Any) -> None:
    """Writes the record of what was made from finished results.

    Args:
        folder: The new result's folder, from ``replacing``.
        config: The run.
        said: What else the record says; ``results`` by ``rests_on``.
    """
    record.write(folder, {"config": {"job": config.job, **config.options}, **said})


def rests_on(root: Path | str, folders: Iterable[Path]) -> dict[str, str]:
    """Returns ``<study>/<space>/<task>`` -> checksum of the record, which names those of all files.

    Args:
        root: Folder of all results.
        folders: Those that were read.
    """
    return {one.relative_to(root).as_posix(): checksum(one / RECORD) for one in sorted(folders)}

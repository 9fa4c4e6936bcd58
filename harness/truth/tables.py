"""Converts a raw file once into a small parquet table, and reads that ever after."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.files import atomic
from harness.inputs.files import data_folder
from harness.truth.download import fetch
from harness.truth.sources import source

log = logging.getLogger(__name__)

Reader = Callable[[Path, str], pd.DataFrame]
"""Turns a raw file and the name of a task into a tidy table."""


def converted(name: str, source_name: str, reader: Reader, task: str) -> pd.DataFrame:
    """Returns ``reader(file, task)``, from ``data/cache/tables/`` if it was converted before.

    The table's file name holds the checksums of the raw file and of the code that reads it and
    that spells the keys, so that a change of either converts anew.

    Args:
        name: What the table is called in the cache.
        source_name: The raw file, an entry of ``sources.toml``.
        reader: Reads the raw file.
        task: Which of the file's tasks.

    Raises:
        DataError: If the raw file cannot be had or cannot be read.
    """
    path = _path(name, source_name, reader)
    if path.is_file():
        try:
            kept: pd.DataFrame = pq.read_table(path, page_checksum_verification=True).to_pandas()
            return kept
        except (OSError, pa.ArrowException) as error:
            log.warning("%s is damaged (%s); it is converted again.", path, error)
    table = reader(fetch(source_name), task)
    with atomic(path) as partial:
        table.to_parquet(partial, index=False, write_page_checksum=True)
    return table


def _path(name: str, source_name: str, reader: Reader) -> Path:
    stem = f"{name}-{source(source_name).digest[:12]}-{_code(Path(inspect.getfile(reader)))[:6]}"
    return data_folder() / "cache" / "tables" / f"{stem}.parquet"


@cache
def _code(module: Path) -> str:
    """Returns the checksum of a reader's module and of all of ours that it may call."""
    package = Path(__file__).parents[1]
    modules = {*(package / "truth").glob("*.py"), *(package / "spaces").glob("*.py")} - {module}
    digest = hashlib.sha256(module.read_bytes())
    for path in sorted(modules):
        digest.update(path.read_bytes())
    return digest.hexdigest()

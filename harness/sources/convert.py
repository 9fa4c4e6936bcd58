"""Converts a raw file once into a small parquet table, and reads that ever after."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import DataError
from harness.core.files import atomic
from harness.sources.catalogue import source
from harness.sources.fetch import fetch
from harness.sources.places import checksum, data_folder

if TYPE_CHECKING:  # readers are known before anything is read
    import pandas as pd

log = logging.getLogger(__name__)

Reader = Callable[[Path, str], "pd.DataFrame"]
"""Turns a raw file and the name of a task into a tidy table."""


def converted(name: str, source_name: str, reader: Reader, task: str) -> pd.DataFrame:
    """Returns ``reader(file, task)``, from ``data/cache/tables/`` if it was converted before.

    The table's file name holds the checksums of the raw file and of the code that reads it and
    that spells the keys, so that a change of either converts anew.

    Args:
        name: What the table is called in the cache.
        source_name: The raw file, as the catalogue names it.
        reader: Reads the raw file.
        task: Which of the file's tasks.

    Raises:
        DataError: If the raw file cannot be had or cannot be read.
    """
    path = _path(name, source(source_name).digest, Path(inspect.getfile(reader)))
    return _kept(path, lambda: reader(fetch(source_name), task))


def converted_copy(name: str, path: Path, reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    """Returns ``reader(path)`` of a user's own file or folder, converted once like ``converted``.

    Args:
        name: What the table is called in the cache.
        path: A file or a folder, either recognised by its contents; see ``places.checksum``.
        reader: Reads it.

    Raises:
        DataError: If there is no such file or folder, or it cannot be read.
    """
    if not path.exists():
        raise DataError(f"{path} does not exist; name the file or folder that you downloaded.")
    kept = _path(name, checksum(path), Path(inspect.getfile(reader)))
    return _kept(kept, lambda: reader(path))


def _kept(path: Path, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Returns the table at ``path``; makes and keeps it if it is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.is_file():
        try:
            kept: pd.DataFrame = pq.read_table(path, page_checksum_verification=True).to_pandas()
            return kept
        except (OSError, pa.ArrowException) as error:
            log.warning("%s is damaged (%s); it is converted again.", path, error)
    table = make()
    with atomic(path) as partial:
        table.to_parquet(partial, index=False, write_page_checksum=True)
    return table


def _path(name: str, digest: str, module: Path) -> Path:
    stem = f"{name}-{digest[:12]}-{_code(module)[:6]}"
    return data_folder() / "cache" / "tables" / f"{stem}.parquet"


@cache
def _code(module: Path) -> str:
    """Returns the checksum of a reader's module and of all of ours that it may call."""
    package = Path(__file__).parents[1]
    folders = (package / name for name in ("truth", "spaces", "sources"))
    modules = {path for folder in folders for path in folder.glob("*.py")} - {module}
    digest = hashlib.sha256(module.read_bytes())
    for path in sorted(modules):
        digest.update(path.read_bytes())
    return digest.hexdigest()

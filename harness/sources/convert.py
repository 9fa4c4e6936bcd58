"""Converts a raw file once into a small parquet table, and reads that ever after."""

from __future__ import annotations

import glob
import hashlib
import inspect
import io
import logging
from collections.abc import Callable
from contextlib import suppress
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

    The table's file name holds the checksums of the raw file, of the code that reads it and that
    spells the keys, so that a change of either converts anew, and of the table itself.

    Args:
        name: What the table is called in the cache.
        source_name: The raw file, as the catalogue names it.
        reader: Reads the raw file.
        task: Which of the file's tasks.

    Raises:
        DataError: If the raw file cannot be had or cannot be read.
    """
    stem = _stem(name, source(source_name).digest, Path(inspect.getfile(reader)))
    return _kept(stem, lambda: reader(fetch(source_name), task))


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
    stem = _stem(name, checksum(path), Path(inspect.getfile(reader)))
    return _kept(stem, lambda: reader(path))


def _kept(stem: Path, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Returns the table at ``<stem>-<checksum>.parquet``; makes it if it is missing or damaged."""
    import pandas as pd

    present = sorted(stem.parent.glob(f"{glob.escape(stem.name)}-*.parquet"))
    for path in present:
        content = b""
        with suppress(OSError):  # another run was quicker, or it is another user's
            content = path.read_bytes()
        if _digest(content) == path.stem.rpartition("-")[2]:
            return pd.read_parquet(io.BytesIO(content))
        log.warning("%s is damaged; it is converted again.", path)
    table = make()
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    kept = Path(f"{stem}-{_digest(buffer.getvalue())}.parquet")
    with atomic(kept) as partial:
        partial.write_bytes(buffer.getvalue())
    for path in {*present} - {kept}:
        path.unlink(missing_ok=True)
    return table


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _stem(name: str, digest: str, module: Path) -> Path:
    return data_folder() / "cache" / "tables" / f"{name}-{digest[:12]}-{_code(module)[:6]}"


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

"""Where data files lie."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from harness.core.checksums import of_file
from harness.core.errors import DataError


def data_folder() -> Path:
    """Returns the folder of fetched and generated data: ``HARNESS_DATA``, else ``./data``."""
    return Path(os.environ.get("HARNESS_DATA") or "data")


def mirror_folder() -> Path | None:
    """Returns the local mirror that ``HARNESS_MIRROR`` names, None when it is unset.

    Raises:
        DataError: If the variable names a folder that does not exist.
    """
    name = os.environ.get("HARNESS_MIRROR")
    if not name:
        return None
    folder = Path(name)
    if not folder.is_dir():
        raise DataError(
            f"HARNESS_MIRROR names {folder}, which is not a folder; correct or unset it."
        )
    return folder


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Returns the hexadecimal digest of a file, or of a folder: of its files' names and digests."""
    if path.is_dir():
        digest = hashlib.new(algorithm)
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            name = file.relative_to(path).as_posix()
            digest.update(f"{name} {checksum(file, algorithm)}\n".encode())
        return digest.hexdigest()
    return of_file(path, algorithm)

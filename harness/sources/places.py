"""Where data files lie."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from harness.core.errors import DataError
from harness.core.files import is_file, with_suffix


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
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def check_recorded(path: Path) -> str:
    """Returns the SHA-256 of a file, compared with the one in ``<file>.sha256`` if that is there.

    Raises:
        DataError: If it is another file than was recorded.
    """
    digest, place = checksum(path), with_suffix(path, "sha256")
    if not is_file(place):
        return digest
    try:
        expected = (place.read_text(encoding="utf-8").split() or [""])[0].lower()
    except (OSError, ValueError) as error:
        raise DataError(f"{place} cannot be read ({error}); replace or remove it.") from error
    if digest != expected:
        raise DataError(
            f"{path} is another file: its sha256 is {digest[:12]}… where {expected[:12]!r} is "
            f"recorded in {place}; replace the file, or remove that record too."
        )
    return digest

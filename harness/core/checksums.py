"""Checksums of files, and those that stand recorded beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.core.errors import DataError
from harness.core.files import atomic, is_file

SUMS = "SHA256SUMS"
"""A file with the checksums of those beside it, as ``sha256sum`` writes it."""


def of_file(path: Path, algorithm: str = "sha256") -> str:
    """Returns the hexadecimal digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def check_recorded(path: Path) -> str:
    """Returns the SHA-256 of a file, compared with the one in ``SHA256SUMS`` beside it, if any.

    Raises:
        DataError: If it is another file than was recorded.
    """
    digest, expected = of_file(path), _recorded(path.parent).get(path.name)
    if expected not in (None, digest):
        raise DataError(
            f"{path} is another file: its sha256 is {digest[:12]}… where {str(expected)[:12]}… "
            f"is recorded in {SUMS} beside it; replace the file, or take it out of that record."
        )
    return digest


def damaged_installation(path: Path, error: Exception) -> DataError:
    """Returns the error of a file of this package that cannot be read."""
    return DataError(
        f"{path} is missing or damaged in this installation ({error}); reinstall the package."
    )


def record_checksum(path: Path) -> None:
    """Writes the checksum of a file into ``SHA256SUMS`` beside it."""
    known = _recorded(path.parent) | {path.name: of_file(path)}
    lines = (f"{digest}  {name}\n" for name, digest in sorted(known.items()))
    with atomic(path.parent / SUMS) as partial:
        partial.write_text("".join(lines), encoding="utf-8")


def _recorded(folder: Path) -> dict[str, str]:
    """Returns name -> checksum of a folder's files, as far as they are recorded.

    Raises:
        DataError: If the record cannot be read.
    """
    place = folder / SUMS
    if not is_file(place):
        return {}
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
        parts = [line.split(maxsplit=1) for line in lines if line.strip()]
        return {name.removeprefix("*"): digest.lower() for digest, name in parts}
    except (OSError, ValueError) as error:
        raise DataError(
            f"{place} cannot be read ({error}); write it with sha256sum, or remove it."
        ) from error

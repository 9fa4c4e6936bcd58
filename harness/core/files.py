"""Files that are either complete or absent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.temporary import owned


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` that takes its place when the block succeeds.

    A reader, or a run that is killed, never sees half a file; several processes may write the same
    file at once, the last to finish wins. What a killed one leaves is removed by the next that
    writes there. Missing folders are made.

    Raises:
        HarnessError: If the folder cannot be made or written to.
    """
    temporary = owned(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def is_file(path: Path) -> bool:
    """Tells whether a file is there; a name that no system takes is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Tells whether a folder is there; a name that no system takes is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def with_suffix(path: Path | str, suffix: str) -> Path:
    """Appends ``.suffix``; unlike ``Path.with_suffix`` it keeps a dot in the name."""
    return Path(f"{path}.{suffix}")


def make_writable(folder: Path) -> None:
    """Makes a folder and tries it, so that a run need not work before it learns that it cannot.

    Raises:
        HarnessError: If the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise refused(folder, error) from error


def refused(path: Path, error: OSError) -> HarnessError:
    """Returns the error of a place that cannot be written."""
    return HarnessError(
        f"Cannot write {path} ({error.strerror or error}); make the folder writable or choose "
        "another one (results=FOLDER for results, the variable HARNESS_DATA for data)."
    )

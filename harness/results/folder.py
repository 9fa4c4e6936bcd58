"""A result folder is one thing: its files and its record appear together or not at all.

A run fills a new folder beside the old one and then exchanges both in one step, so that neither a
kill nor another run can leave tables of one run beside the record of another. The record holds the
checksum of every file, and whoever reads a file through this module has it checked.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.core.errors import DataError, HarnessError
from harness.core.files import make_writable, refused
from harness.core.temporary import owned, owned_folder, sweep
from harness.results.layout import RECORD
from harness.sources.places import checksum

UNREAD = "inputs.sha256"
"""None where no proxy looked at an image: such scores go with any images of the same set."""
_PARTS = {"conditions", "files", "inputs", "resolved", "truth"}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields an empty folder that takes the place of ``path`` as a whole if the block succeeds.

    The block must leave a ``run.json``, to which the checksums of the other files are added. Files
    in the old folder that its record does not name are somebody else's and are kept.

    Raises:
        HarnessError: If the folder cannot be written, or something else has its name.
    """
    if path.exists() and not path.is_dir():
        raise HarnessError(f"{path} is no folder, so no result can take its place; move it away.")
    make_writable(path.parent)
    try:
        with owned_folder(path) as fresh:
            yield fresh
            _seal(fresh)
            _adopt(path, fresh)
            _exchange(fresh, path)
    except OSError as error:
        raise refused(path, error) from error


def _seal(folder: Path) -> None:
    """Adds the checksums of all files to the record."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != RECORD)
    record["files"] = {path.relative_to(folder).as_posix(): checksum(path) for path in files}
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _adopt(old: Path, fresh: Path) -> None:
    """Copies what the old record does not name; again if another run replaced it meanwhile."""
    while old.is_dir():
        adopted: list[Path] = []
        with suppress(FileNotFoundError):
            version = old.stat().st_ino
            for path in _foreign(old):
                target = fresh / path.name
                if not target.exists():
                    adopted.append(target)
                    shutil.copytree(path, target) if path.is_dir() else shutil.copy2(path, target)
            if old.stat().st_ino == version:
                return
        for target in adopted:
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)


def _foreign(folder: Path) -> list[Path]:
    """Returns the files and folders that no record names."""
    try:
        named = read_record(folder).get("files", {})
    except DataError:
        named = {}
    own = {RECORD, *(name.split("/")[0] for name in named)}
    return [path for path in folder.iterdir() if path.name not in own]


def _exchange(fresh: Path, path: Path) -> None:
    """Puts ``fresh`` at ``path``; what was there lies at ``fresh`` afterwards."""
    while True:
        if not path.exists():
            with suppress(FileExistsError, OSError):
                fresh.rename(path)  # fails if another run was quicker
                return
        if _renamed_both(fresh, path):
            return
        # A system that cannot exchange: a kill between the two leaves no result, never a mixture.
        aside = owned(path)
        with suppress(FileNotFoundError):
            path.rename(aside)
        try:
            fresh.rename(path)
        except OSError:
            continue
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return


def _renamed_both(first: Path, second: Path) -> bool:
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    done = renameat2(
        _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
    )
    return bool(done == 0)


def read_record(folder: Path) -> dict[str, Any]:
    """Returns the record of a finished result.

    Raises:
        DataError: If it is missing or broken.
    """
    path = folder / RECORD
    try:
        record: object = json.loads(path.read_text(encoding="utf-8"), object_hook=Entries)
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, error) from error
    if not isinstance(record, dict):
        raise unreadable(path, ValueError("it is no JSON object"))
    for name in _PARTS & record.keys():
        if not isinstance(record[name], dict):
            raise unreadable(path, ValueError(f"its {name} is no JSON object"))
    return record


class Entries(dict[str, Any]):
    """A part of a record; what it lacks is told as damage, wherever it is asked for."""

    def __missing__(self, key: str) -> Any:
        """Raises.

        Raises:
            DataError: With the entry.
        """
        raise DataError(
            f"The record ({RECORD}) of a result lacks the entry {key!r}: it was changed, or is of "
            "another version or job; make the result again."
        )


def checked(folder: Path, name: str) -> Path:
    """Returns a file of a result if it is the one that its record names.

    Raises:
        DataError: If it is missing, or was changed or damaged since.
    """
    path = folder / name
    expected = read_record(folder).get("files", {}).get(name)
    if expected is None:
        raise DataError(f"{folder / RECORD} does not name {name}; make the result again.")
    try:
        found = checksum(path)
    except OSError as error:
        raise unreadable(path, error) from error
    if found != expected:
        raise DataError(
            f"{path} is not the file that {RECORD} beside it names: it was changed or damaged; "
            "restore it or make the result again."
        )
    return path


def unreadable(path: Path, error: Exception) -> DataError:
    """Returns the error of a file that cannot be read."""
    return DataError(f"{path} cannot be read ({error}); make the result again.")


def refuse_other_conditions(
    folder: Path,
    conditions: Mapping[str, Any],
    *,
    overwrite: bool,
    additive: Collection[str] = ("proxies",),
) -> dict[str, Any] | None:
    """Returns the record of a result that a run may add to; None if there is no result.

    Args:
        folder: Where the run would leave its result.
        conditions: What decides the values of the new result.
        overwrite: Whether the user wants the old result replaced: then None is returned.
        additive: Keys of ``conditions`` that hold a mapping whose entries add up: another proxy is
            no contradiction, another setting of the same proxy is.

    Raises:
        HarnessError: If what is there was made under other conditions.
        DataError: If what is there cannot be read.
    """
    sweep(folder.parent)  # a run that has nothing to add writes nothing there
    if overwrite or not (folder / RECORD).exists():
        return None
    record = read_record(folder)
    old, new = record.get("conditions"), json.loads(json.dumps(conditions, default=str))
    if old is None:
        raise HarnessError(
            f"{folder} holds a result that does not say under which conditions it was made; name "
            "another one with study=NAME, or replace it with overwrite=true."
        )
    shared = {key: new[key].keys() & old.get(key, {}).keys() for key in additive if key in new}
    was, asked = ({k: _only(v, shared.get(k)) for k, v in one.items()} for one in (old, new))
    told = differences(was, asked)
    if differing := [one for one in told if not (one[0] == UNREAD and None in one[1:])]:
        said = ", ".join(f"{_short(key)}={was}, now {now}" for key, was, now in differing[:3])
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise HarnessError(
            f"{folder} holds a result made under other conditions ({said}{more}). Keep both with "
            "study=NAME, or replace it with overwrite=true."
        )
    return record


def _short(key: str) -> str:
    """``proxies.swap.settings.swap.images`` is ``swap.images`` to a user."""
    return key.rpartition(".settings.")[2]


def _only(value: Any, keys: Collection[str] | None) -> Any:
    return value if keys is None else {key: value[key] for key in keys if key in value}


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yields (key, old value, new value) of what differs; None stands for what is missing."""
    for key in dict.fromkeys([*old, *new]):
        name, was, now = f"{prefix}{key}", old.get(key), new.get(key)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from differences(was, now, f"{name}.")
        elif was != now:
            yield name, was, now

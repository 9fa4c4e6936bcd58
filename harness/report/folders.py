"""The tables and pictures that other jobs left in a folder, whatever they are."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.errors import DataError
from harness.report.tables import Table, table

# What the page shows of a picture, the better first; the others are linked.
PICTURES = (".png", ".svg")


@dataclass(frozen=True)
class Picture:
    """A picture: its caption, its file relative to the page, and its other formats."""

    caption: str
    file: str
    others: list[tuple[str, str]]


@dataclass(frozen=True)
class Folder:
    """What lies in a folder.

    Attributes:
        tables: Those with a CSV, by name.
        pictures: Those with a PNG or SVG, by name.
    """

    tables: dict[str, Table]
    pictures: dict[str, Picture]

    def __bool__(self) -> bool:
        return bool(self.tables or self.pictures)


def read_folder(folder: Path, page: Path) -> Folder:
    """Reads the tables and lists the pictures of a folder; one that does not exist is empty.

    Captions come from ``captions.json`` beside them (name without suffix -> sentence), or from
    the name: ``figure16`` becomes "Figure 16".

    Args:
        folder: Where they lie.
        page: Folder of the page, from which links start.

    Raises:
        DataError: If a table or the captions cannot be read.
    """
    captions = _captions(folder / "captions.json")
    files = (
        sorted(folder.glob("*"), key=lambda path: _natural(path.stem)) if folder.exists() else []
    )
    tables, pictures = {}, {}
    for path in files:
        name = path.stem
        caption = captions.get(name, _title(name))
        if path.suffix == ".csv":
            tables[name] = table(_csv(path), caption, file=link(path, page))
        if path.suffix in PICTURES and name not in pictures:
            formats = [path.with_name(name + suffix) for suffix in PICTURES]
            found = [link(other, page) for other in formats if other.exists()]
            others = [(file.rpartition(".")[2].upper(), file) for file in found]
            pictures[name] = Picture(caption, found[0], others)
    return Folder(tables, pictures)


def link(path: Path, page: Path) -> str:
    """Returns the address of a file beside or above the folder of the page."""
    return Path(os.path.relpath(path, page)).as_posix()


def _captions(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        return {str(k): str(v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path} must hold one JSON object of captions ({error}).") from error


def _csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except ValueError as error:
        raise DataError(
            f"The table {path} cannot be read ({error}); run the job that writes it again."
        ) from error


def _title(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=\d)", " ", name.replace("_", " "))
    return words[:1].upper() + words[1:]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts figure4 before figure16."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]

"""The tables and pictures that other jobs left in a folder, whatever they are."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.artefacts.artefact import THEME
from harness.report.columns import NO_BREAK
from harness.report.page_tables import ROWS, Table, table
from harness.results.folder import read_record
from harness.results.layout import RECORD
from harness.results.stored_table import stored_table

# What the page shows of a picture, the better first; the others are linked.
PICTURES = (".png", ".svg")
WHOLE = ("compare", "compare_summary")
"""Tables that people read, however long they are."""


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
    """Reads the tables and lists the pictures that the records in and below a folder name.

    A folder that does not exist is empty. Captions come from names: ``figure16`` becomes
    "Figure 16".

    Args:
        folder: Where they lie.
        page: Folder of the page, from which links start.

    Raises:
        DataError: If a record or a table cannot be read, or a table is not the recorded one.
    """
    return _shown(
        {
            record.parent / file: (record.parent, file)
            for record in folder.rglob(RECORD)
            for file in read_record(record.parent).get("files", {})
        },
        page,
    )


@dataclass(frozen=True)
class Chapter:
    """One analysis.

    Attributes:
        name: Its name, the end of its address on the page.
        question: What was asked.
        finding: One sentence of answer.
        leads: Whether it is the first of its theme, whose sentence the summary tells.
        shown: Its tables and pictures.
    """

    name: str
    question: str
    finding: str
    leads: bool
    shown: Folder


def read_chapters(folder: Path, page: Path) -> list[Chapter]:
    """Reads the analyses of a folder in their order; one that does not exist has none.

    Args:
        folder: Where they lie.
        page: Folder of the page, from which links start.

    Raises:
        DataError: If the record or a table cannot be read, or a table is not the recorded one.
    """
    if not (folder / RECORD).is_file():
        return []
    said = {
        name: one
        for name, one in read_record(folder).get("artefacts", {}).items()
        if "question" in one
    }
    chapters, themes = [], set()
    for name, one in sorted(said.items(), key=lambda item: item[1].get("chapter", 0)):
        finding, theme = _unbroken(one.get("finding", "")), one.get("chapter", 0) // THEME
        leads = bool(finding) and theme not in themes
        themes |= {theme} if leads else set()
        files = {folder / file: (folder, file) for file in one["files"]}
        shown = _shown(files, page)
        chapters.append(Chapter(name, one["question"], finding, leads, shown))
    return chapters


def _unbroken(sentence: str) -> str:
    """Keeps ``n = 100``, intervals, ``0.15 [0.10, 0.20]``, and seconds on one line."""
    kept = r" = | (?=\[[^ ]+, [^ ]+\])|(?<=,) (?=[^ \]]+\])|(?<=\d) (?=s\b)"
    return re.sub(kept, lambda found: found[0].replace(" ", NO_BREAK), sentence)


def _shown(named: dict[Path, tuple[Path, str]], page: Path) -> Folder:
    """Lays out files, each with the folder of its record and its name there."""
    tables, pictures = {}, {}
    for path in sorted(named, key=lambda path: _natural(path.stem)):
        name = path.stem
        if path.suffix == ".csv":
            rows, limit = stored_table(*named[path]), None if name in WHOLE else ROWS
            tables[name] = table(rows, _title(name), file=link(path, page), limit=limit)
        if path.suffix in PICTURES and name not in pictures:
            formats = [path.with_suffix(suffix) for suffix in PICTURES]
            first, *others = [link(other, page) for other in formats if other in named]
            more = [(file.rpartition(".")[2].upper(), file) for file in others]
            pictures[name] = Picture(_title(name), first, more)
    return Folder(tables, pictures)


def link(path: Path, page: Path) -> str:
    """Returns the address of a file beside or above the folder of the page."""
    return Path(os.path.relpath(path, page)).as_posix()


def _title(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=\d)", " ", name.replace("_", " "))
    return words[:1].upper() + words[1:]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts figure4 before figure16."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]

"""Ground truth from a CSV of the user's own."""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.core.errors import HarnessError, cut, shown
from harness.core.files import is_file, is_folder
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd

QUOTES = " A key that holds commas is written in double quotes."


class Row(NamedTuple):
    """A row of the file: its last line, from 1 on, and two of its fields."""

    line: int
    key: str
    value: str


def info(space: str, task: str) -> records.TruthInfo:
    """Describes such a table, as far as anybody but its owner can.

    Raises:
        HarnessError: If the space or its task is unknown.
    """
    spaces.get(space).task(task)
    return records.TruthInfo(
        space=space,
        task=task,
        variant="csv",
        metric="as in the user's file",
        split="as in the user's file",
        epochs=None,
        training_seeds="as in the user's file",
        aggregation="as in the user's file",
        n=None,
        sources=(),
        licence="the user's",
    )


def read(space: str, task: str, path: str | None) -> pd.DataFrame:
    """Reads a CSV with the columns ``key`` and ``value``; any other column is not read.

    A key may be written in any way that its space reads; one with commas needs double quotes.

    Raises:
        HarnessError: If the file is missing or unreadable, lacks a column, names an architecture
            twice or one that the space does not have, or holds a value that is not a number.
    """
    if path is None:
        raise HarnessError(
            f"The ground truth {space}/{task} of variant csv needs a file: path=my.csv with the "
            "columns key,value (truth.path=my.csv)."
        )
    rows = list(_rows(Path(path)))
    if not rows:
        raise HarnessError(f"{path} holds no architectures.")
    keys = _keys(rows, space, path)
    values = [_number(row, path) for row in rows]
    return records.table(zip(keys, values, strict=True), n_training_seeds=None)


def _rows(path: Path) -> Iterator[Row]:
    """Yields the rows under the header; blank lines are none."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    header: list[str] = []
    try:
        for fields in reader:
            line = reader.line_num
            if not any(field.strip() for field in fields):
                continue
            if not header:
                header = _header([field.strip() for field in fields], path)
            elif len(fields) > len(header):
                raise HarnessError(f"{path}, line {line} has more fields than its header.{QUOTES}")
            else:
                named = dict(zip(header, fields, strict=False))
                yield Row(line, named.get("key", "").strip(), named.get("value", "").strip())
    except csv.Error as error:
        raise HarnessError(
            f"{path}, line {reader.line_num} is not readable as CSV ({error}).{QUOTES}"
        ) from error
    if not header:
        _header([], path)


def _header(names: list[str], path: Path) -> list[str]:
    if missing := {"key", "value"} - set(names):
        raise HarnessError(
            f"{path} lacks the column {' and '.join(sorted(missing))}; expected key,value, found "
            f"{cut(','.join(names)) or 'nothing'}."
        )
    for name in ("key", "value"):
        if names.count(name) > 1:
            raise HarnessError(f"{path} has {names.count(name)} columns named {name}; leave one.")
    return names


def _text(path: Path) -> str:
    if not is_file(path):
        wrong = "is a folder" if is_folder(path) else "does not exist"
        raise HarnessError(f"{cut(path)} {wrong}; expected a CSV with the columns key,value.")
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HarnessError(
            f"{path} is not a readable CSV ({error}); save it as UTF-8 text that you may read."
        ) from error
    if "\0" in text:
        raise HarnessError(f"{path} is no text: it holds zero bytes; save it as UTF-8.")
    return text


def _number(row: Row, path: str) -> float:
    try:
        value = float(row.value)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in row.value:  # 1_000 is Python's
        raise HarnessError(
            f"{path}, line {row.line}: value {shown(row.value)} is not a finite number."
        )
    return value


def _keys(rows: Iterable[Row], space: str, path: str) -> list[str]:
    lines: dict[str, int] = {}
    for row in rows:
        try:
            key = spaces.get(space).canonical(row.key)
        except HarnessError as error:
            raise HarnessError(f"{path}, line {row.line}: {error}") from None
        if key in lines:
            raise HarnessError(
                f"{path}, line {row.line}: {key} appears a second time; line {lines[key]} names it "
                "too."
            )
        lines[key] = row.line
    return list(lines)

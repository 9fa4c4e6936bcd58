"""The same table as CSV for programs, Markdown for the web and LaTeX for papers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.core.errors import unknown
from harness.core.files import atomic, with_suffix

Cells = list[list[str]]

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "_%&#${}"},
    }
)


def write_tables(
    frame: pd.DataFrame,
    path_without_suffix: Path | str,
    formats: Sequence[str] = ("csv",),
    float_format: str = "%.4f",
) -> list[Path]:
    """Writes a table for programs and for people.

    Args:
        frame: What to write; its index is not written.
        path_without_suffix: Where to; the suffix of each format is appended, folders are made.
        formats: Any of ``csv`` (every digit, so that reading gives the same numbers; empty for
            NaN), ``md`` and ``tex`` (a ``tabular`` with booktabs rules).
        float_format: How Markdown and LaTeX print floats, in printf style; NaN is a dash.

    Returns:
        The files written; each is either complete or not there.

    Raises:
        HarnessError: If a format is unknown.
    """
    for suffix in formats:
        if suffix not in WRITERS:
            raise unknown("table format", suffix, WRITERS)
    paths = [with_suffix(path_without_suffix, suffix) for suffix in formats]
    for path, suffix in zip(paths, formats, strict=True):
        with atomic(path) as temporary:
            temporary.write_text(
                WRITERS[suffix](frame, float_format), encoding="utf-8", newline="\n"
            )
    return paths


def markdown(frame: pd.DataFrame, float_format: str = "%.4f") -> str:
    """Returns a pipe table; numbers are right-aligned, pipes inside cells escaped."""
    cells = _cells(frame, float_format, dash="\N{EN DASH}", minus="\N{MINUS SIGN}")
    rules = ["---:" if right else "---" for right in _numeric(frame)]
    lines = [[_pipe(str(name)) for name in frame.columns], rules]
    lines += [[_pipe(cell) for cell in row] for row in cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _latex(frame: pd.DataFrame, float_format: str) -> str:
    cells = _cells(frame, float_format, dash="--", minus="$-$", escape=_escape)
    head = [_escape(str(name)) for name in frame.columns]
    align = "".join("r" if right else "l" for right in _numeric(frame))
    body = "".join(f"{' & '.join(row)} \\\\\n" for row in cells)
    return (
        f"\\begin{{tabular}}{{{align}}}\n\\toprule\n{' & '.join(head)} \\\\\n\\midrule\n"
        f"{body}\\bottomrule\n\\end{{tabular}}\n"
    )


WRITERS: dict[str, Callable[[pd.DataFrame, str], str]] = {
    "csv": lambda frame, _: frame.to_csv(index=False, lineterminator="\n"),
    "md": markdown,
    "tex": _latex,
}
"""Format -> how a table is written, given how floats are printed."""


def _cells(
    frame: pd.DataFrame,
    float_format: str,
    *,
    dash: str,
    minus: str,
    escape: Callable[[str], str] = str,
) -> Cells:
    """Every cell as text; only numbers get the typographic minus, only text is escaped."""

    def cell(value: Any) -> str:
        if pd.isna(value):
            return dash
        if isinstance(value, float):
            return (float_format % value).replace("-", minus)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value).replace("-", minus)
        return escape(str(value))

    return [[cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def _numeric(frame: pd.DataFrame) -> list[bool]:
    return [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]


def _escape(text: str) -> str:
    return text.translate(_LATEX)


def _pipe(text: str) -> str:
    return text.replace("|", r"\|")

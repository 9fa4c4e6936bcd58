"""Two results of the same configuration, value by value: are they equal?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.results.folder import read_record
from harness.results.layout import SCORES
from harness.results.stored_table import stored_table

SCORE = ("task", "key", "proxy", "seed", "draw")
"""What names a score."""
NOT_VALUES = ("seconds", "machine", "conditions", "message")
"""Columns that another run may have otherwise."""
ROUNDING = 1e-3
"""Of a value's size: what other processors, threads and versions of torch make of it."""


@dataclass(frozen=True)
class Compared:
    """How the values of one proxy or table came out.

    Attributes:
        what: The proxy, or the file.
        stored: How many values the stored result has.
        compared: How many of them were made again.
        equal: How many of these are the same, to the last bit.
        difference: The largest relative difference; infinite where only one is a number, or where
            text differs.
    """

    what: str
    stored: int
    compared: int
    equal: int
    difference: float


def compare(folder: Path, again: Path) -> list[Compared]:
    """Compares a stored result with one that was made from its record.

    Scores are compared one by one, those that both hold; everything else in such a result follows
    from them. Of other results all tables are, row by row, without what was timed.

    Args:
        folder: The stored result.
        again: The new one.

    Raises:
        DataError: If a table is missing or was changed.
    """
    names = [name for name in read_record(folder).get("files", {}) if _is_table(name)]
    if SCORES in names:
        return list(_scores(stored_table(folder, SCORES), stored_table(again, SCORES)))
    return [_table(name, stored_table(folder, name), stored_table(again, name)) for name in names]


def _is_table(name: str) -> bool:
    return name.endswith((".csv", ".parquet"))


def _scores(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[Compared]:
    """Yields one comparison for each proxy that the stored scores hold."""
    named = [column for column in SCORE if column in old and column in new]
    both = old.merge(new, on=named, suffixes=("", "_again"))
    same = (both["status"] == both["status_again"]).to_numpy()
    both["difference"] = np.where(same, _differences(both["value"], both["value_again"]), math.inf)
    for proxy, count in old["proxy"].value_counts(sort=False).items():
        of_proxy = both.loc[both["proxy"] == proxy, "difference"].to_numpy()
        yield _compared(str(proxy), int(count), of_proxy)


def _table(name: str, old: pd.DataFrame, new: pd.DataFrame) -> Compared:
    columns = [column for column in old if not str(column).endswith(NOT_VALUES)]
    rows = min(len(old), len(new))
    made = [column for column in columns if column in new]
    parts = [_differences(old[column][:rows], new[column][:rows]) for column in made]
    return _compared(name, len(old) * len(columns), np.concatenate([np.empty(0), *parts]))


def _compared(what: str, stored: int, differences: NDArray[np.float64]) -> Compared:
    equal = int((differences == 0).sum())
    return Compared(what, stored, len(differences), equal, float(differences.max(initial=0.0)))


def _differences(old: pd.Series, new: pd.Series) -> NDArray[np.float64]:
    """Returns |a − b| / max(|a|, |b|), 0 where both are equal or no numbers, else infinity."""
    if not (pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new)):
        pairs = zip(map(str, old), map(str, new), strict=True)
        return np.array([0.0 if a == b else math.inf for a, b in pairs])
    a, b = (
        old.to_numpy(dtype=float, na_value=math.nan),
        new.to_numpy(dtype=float, na_value=math.nan),
    )
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    return np.where(same, 0.0, np.where(np.isfinite(relative), relative, math.inf))


def verdict(found: Sequence[Compared]) -> str:
    """Says in a sentence or two what came out."""
    stored, compared, equal = (
        sum(getattr(one, name) for one in found) for name in ("stored", "compared", "equal")
    )
    if not compared:
        return "No value was made again."
    largest = max(one.difference for one in found)
    said = f"All {compared:,} values are equal."
    if equal < compared:
        rest = f"differ by at most {largest:.2g} of their size"
        rest = "differ, some of them where only one is a number" if math.isinf(largest) else rest
        said = f"{equal:,} of {compared:,} values are equal; the others {rest}."
    if compared < stored:
        said += f" The other {stored - compared:,} stored values were not made again."
    return said


def reproduced(found: Sequence[Compared]) -> bool:
    """Tells whether values were made again and differ by rounding at most."""
    made = sum(one.compared for one in found)
    return bool(made) and max(one.difference for one in found) <= ROUNDING

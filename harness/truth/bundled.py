"""Tables of ground truth inside the package, and how each is made from its raw files.

A table may be here if the licence of every raw file allows it; NOTICE names them. ``make
truth-tables`` makes them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.checksums import check_recorded, damaged_installation, record_checksum
from harness.core.files import atomic
from harness.core.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(str(files("harness.truth"))) / "embedded"

recipes: Registry[Callable[[], pd.DataFrame]] = Registry("bundled table", home="harness.truth")
"""Name of a table -> makes it from raw files, which are fetched and checked."""


def path(name: str) -> Path:
    """Returns where a table lies in the package."""
    return FOLDER / f"{name}.parquet"


def read(name: str) -> pd.DataFrame:
    """Reads a table.

    Raises:
        DataError: If this installation lacks it or it is damaged.
    """
    import pyarrow.parquet as pq

    try:
        check_recorded(path(name))
        table: pd.DataFrame = pq.read_table(path(name), page_checksum_verification=True).to_pandas()
    except Exception as error:  # a damaged footer raises nearly anything
        raise damaged_installation(path(name), error) from error
    return table


def write(name: str) -> Path:
    """Makes a table from its raw files.

    Raises:
        DataError: If a raw file cannot be had.
    """
    table = recipes.get(name)()
    numbers = all(kind.kind in "uf" for kind in table.dtypes)
    with atomic(path(name)) as temporary:
        table.to_parquet(
            temporary,
            index=False,
            compression="zstd",
            compression_level=19,
            # Numbers alone are nearly all different, keys and rounded percentages are not.
            use_dictionary=not numbers,
            use_byte_stream_split=numbers,
            write_page_checksum=True,
        )
    record_checksum(path(name))
    return path(name)

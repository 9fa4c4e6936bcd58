"""Tables on disk that grow by whole files: atomic, resumable, safe under many writers.

A shard is one parquet file whose name is the hash of the work that it holds. It is written under a
temporary name and renamed when complete, so a file that can be seen is finished; a run that was
killed leaves at most a temporary file, which the next removes. Two writers of the same work write
the same name.

Opening a file costs a millisecond or two, whatever it holds. Of many shards, the rows are therefore
also kept in one file, the cache. Shards stay the only truth: the cache can be deleted at any time,
and it counts only while all shards that it was made from are there as they were.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.core.errors import DataError, HarnessError
from harness.core.files import atomic
from harness.core.temporary import sweep

Stamps = dict[str, list[int]]
"""Name of a shard -> its size and time; a retried shard has the name of the one that failed."""

CACHE = "all_shards.cache"
CACHE_AFTER = 1000  # shards that had to be opened; fewer take a second or two


class ShardFolder:
    """A folder of finished shards.

    Args:
        folder: Where the shards lie; made when the first is written.
        schema: Columns and types of every shard.
        identity: Columns that identify a row; of rows that several shards hold, one is returned.
        yields: Tells which rows give way to others of the same identity; none by default.
    """

    def __init__(
        self,
        folder: Path,
        schema: pa.Schema,
        identity: list[str],
        yields: Callable[[pd.DataFrame], pd.Series[bool]] | None = None,
    ) -> None:
        self.folder = folder
        self.schema = schema
        self.identity = identity
        self._yields = yields

    def write(self, work: Iterable[object], rows: pd.DataFrame) -> Path:
        """Writes one finished shard; ``work`` names what it holds and thereby the file.

        Raises:
            HarnessError: If the folder cannot be written to.
        """
        name = hashlib.sha256("\x1f".join(map(str, work)).encode()).hexdigest()[:20]
        path = self.folder / f"{name}.parquet"
        table = pa.Table.from_pandas(rows, schema=self.schema, preserve_index=False)
        with atomic(path) as temporary:
            pq.write_table(table, temporary, write_page_checksum=True)
        return path

    def read(self) -> pd.DataFrame:
        """Returns the rows of all finished shards.

        Raises:
            DataError: If a shard is corrupted; the message names the file to delete.
        """
        sweep(self.folder)
        present = self._present()
        cached, known = self._read_cache(present)
        tables = [self._read_shard(self.folder / name) for name in present if name not in known]
        table = pa.concat_tables([cached, *tables])
        if len(tables) >= CACHE_AFTER:
            self._write_cache(table, present)
        rows: pd.DataFrame = table.to_pandas()
        if self._yields is not None and (yielding := self._yields(rows)).any():
            rows = pd.concat([rows[~yielding], rows[yielding]])
        return rows.drop_duplicates(self.identity, ignore_index=True)

    def _read_cache(self, present: Stamps) -> tuple[pa.Table, Stamps]:
        """Returns the cached rows and the shards that they come from."""
        nothing: tuple[pa.Table, Stamps] = (self.schema.empty_table(), {})
        try:
            file = pq.ParquetFile(self.folder / CACHE, page_checksum_verification=True)
            known: Stamps = json.loads(file.schema_arrow.metadata[b"shards"])
            # Of a shard that was deleted or written anew, the old rows must go.
            same = known.items() <= present.items()
            return (file.read().cast(self.schema), known) if same else nothing
        except Exception:  # whatever a damaged footer raises
            return nothing  # the shards have everything

    def _write_cache(self, table: pa.Table, shards: Stamps) -> None:
        marked = table.replace_schema_metadata({b"shards": json.dumps(shards).encode()})
        with suppress(HarnessError), atomic(self.folder / CACHE) as temporary:  # may be read-only
            pq.write_table(marked, temporary, write_page_checksum=True)

    def _present(self) -> Stamps:
        found: Stamps = {}
        # pathlib's * matches a leading dot too, and that is how unfinished files are named.
        for path in sorted(self.folder.glob("[!.]*.parquet")):
            with suppress(FileNotFoundError):  # deleted since
                known = path.stat()
                found[path.name] = [known.st_size, known.st_mtime_ns]
        return found

    def _read_shard(self, path: Path) -> pa.Table:
        try:
            # Not read_table, which would read key=value parts of a path as partition columns.
            return pq.ParquetFile(path, page_checksum_verification=True).read().cast(self.schema)
        except Exception as error:  # a damaged footer raises nearly anything
            raise DataError(
                f"The shard {path} is corrupted ({_first_line(error)}); delete that file and run "
                "again, only its part is computed anew."
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

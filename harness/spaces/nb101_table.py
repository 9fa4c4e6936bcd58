"""The 423,624 cells of NAS-Bench-101 as the package bundles them: 32 bits each, in hash order.

The benchmark lists its cells by hash. The hashes themselves need not be stored: a cell's hash can
be computed, so a hash is found by bisection in twenty steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.checksums import check_recorded, damaged_installation, record_checksum
from harness.spaces.nb101_cells import MAX_VERTICES, OPERATIONS, isomorphism_hash, short, to_key
from harness.spaces.nb101_enumeration import GRAPH_BITS, LABEL_BITS, decode

if TYPE_CHECKING:  # a key can be parsed without the table
    import pyarrow as pa

FILE = Path(str(files("harness.spaces"))) / "embedded" / "nb101_cells.parquet"
HASHES_KEPT = 1 << 12  # of bisection: its first steps are always the same
BLOCK = 1 << 14  # cells whose keys are made at once


@cache
def codes() -> NDArray[np.uint32]:
    """Returns the code of every cell, in ascending order of the hashes; see ``encode``.

    Raises:
        DataError: If this installation lacks the table or it is damaged.
    """
    import pyarrow.parquet as pq

    try:
        check_recorded(FILE)
        table = pq.read_table(FILE, page_checksum_verification=True)
        found: NDArray[np.uint32] = table["code"].to_numpy()
    except Exception as error:  # a damaged footer raises nearly anything
        raise damaged_installation(FILE, error) from error
    return found


def write(cells: NDArray[np.uint32]) -> None:
    """Writes the table; its bytes split by place are the smallest of what parquet offers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    FILE.parent.mkdir(exist_ok=True)
    pq.write_table(
        pa.table({"code": cells}),
        FILE,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        use_byte_stream_split=True,
        write_page_checksum=True,
    )
    record_checksum(FILE)


def position(name: str) -> int | None:
    """Returns where the cell of a hash stands in the table; None if the benchmark has none."""
    place = bisect_left(range(len(codes())), name, key=_hash_at)
    return place if place < len(codes()) and _hash_at(place) == name else None


def key_at(place: int) -> str:
    """Returns the key of the cell at a place of the table, as the benchmark spells the cell."""
    return to_key(decode(int(codes()[place])))


def follow(start: int, names: Sequence[str]) -> bool:
    """Tells whether the cells from a place on have these hashes."""
    return all(_hash_at(place) == name for place, name in enumerate(names, start))


@lru_cache(HASHES_KEPT)
def _hash_at(place: int) -> str:
    return isomorphism_hash(decode(int(codes()[place])))


def keys() -> pa.ChunkedArray:
    """Returns the keys of all cells in the order of the table, without a Python object for each."""
    import pyarrow as pa

    blocks = range(0, len(codes()), BLOCK)
    return pa.chunked_array([_keys(codes()[start : start + BLOCK]) for start in blocks])


def keys_at(places: NDArray[np.uint32]) -> pa.StringArray:
    """Returns the keys of the cells at some places of the table."""
    return _keys(codes()[places])


def _keys(cells: NDArray[np.uint32]) -> pa.StringArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    graphs = cells & ((1 << GRAPH_BITS) - 1)
    leading = [1 << v * (v - 1) // 2 for v in range(1, MAX_VERTICES + 1)]
    vertices = np.searchsorted(leading, graphs, side="right")
    places, parts = [], []
    for count in np.unique(vertices):
        places.append(np.flatnonzero(vertices == count))
        texts = [_texts(cells[places[-1]], vertex, count) for vertex in range(1, count)]
        parts.append(pc.binary_join_element_wise(*texts, "|"))
    return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(places))))


def _texts(cells: NDArray[np.uint32], vertex: int, vertices: int) -> pa.StringArray:
    """Returns what the keys say of one vertex of cells that have so many."""
    import pyarrow as pa

    # Bits are ordered by target: those of a vertex stand together, one per source.
    sources = cells >> (vertex * (vertex - 1) // 2) & ((1 << vertex) - 1)
    lists = ["".join(str(i) for i in range(vertex) if bits >> i & 1) for bits in range(1 << vertex)]
    if vertex == vertices - 1:
        names = ["output"]
        operations: NDArray[Any] = np.zeros(len(cells), dtype=int)
    else:
        names = [short(operation) for operation in OPERATIONS]
        operations = cells >> (GRAPH_BITS + LABEL_BITS * (vertex - 1)) & ((1 << LABEL_BITS) - 1)
    every = [f"{name}~{listed}" for name, listed in product(names, lists)]
    number = (operations * len(lists) + sources).astype(np.int32)
    return pa.DictionaryArray.from_arrays(number, every).cast(pa.string())

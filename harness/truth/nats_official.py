"""NATS-Bench's topology space, the later distribution of NAS-Bench-201: every training run.

It comes as a folder of one file per architecture (NATS-tss-v1_0-3ffb9-simple, unpacked) or as one
file (NATS-tss-v1_0-3ffb9.pickle.pbz2). Both are pickles, and no checksum of either is published,
so nothing is read unless the user names their own copy. Even then no code of it can run: only
containers, numbers and text are unpickled. The package ``nats_bench`` then restores the runs.
Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI
2021.
"""

from __future__ import annotations

import bz2
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pandas as pd
from numpy._core.multiarray import scalar

from harness.errors import DataError
from harness.inputs.unpickle import Allowed, load_plain
from harness.truth import nb201_runs, records
from harness.truth.download import fetch
from harness.truth.tables import converted_copy

SOURCE = "nats_tss"
PACKAGE = "nats_bench"
# The benchmark names its hyperparameters after the epochs, 12 or 200.
RUNS = "200"
EXTENSION = ".pickle.pbz2"


def read(path: Path) -> pd.DataFrame:
    """Reads all tasks and splits; see ``nb201_runs.table``.

    The single file is held in memory, some 30 GB; the folder takes one architecture at a time.

    Args:
        path: The folder or the file.

    Raises:
        DataError: If it is missing, damaged or holds anything else.
        HarnessError: If the package ``nats_bench`` is not installed.
    """
    nb201_runs.results_class(PACKAGE)
    return nb201_runs.table(_states(path), PACKAGE, str(path))


def _states(path: Path) -> Iterator[nb201_runs.State]:
    if path.is_dir():
        for file in sorted(path.glob(f"[0-9]*{EXTENSION}")):
            yield _load(file)[RUNS]
    else:
        for runs in _load(path)["arch2infos"].values():
            yield runs[RUNS]


def _load(path: Path) -> dict[str, Any]:
    try:
        with bz2.open(path) as stream:
            content = load_plain(
                cast(BinaryIO, stream), str(path), _ALLOWED, "containers, numbers and text"
            )
    except OSError as error:
        raise DataError(f"{path} is not a readable file of NATS-Bench ({error}).") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is not a file of NATS-Bench: it holds no dictionary.")
    return content


_ALLOWED: Allowed = {
    ("collections", "OrderedDict"): OrderedDict,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "scalar"): scalar,
    ("numpy._core.multiarray", "scalar"): scalar,
}


def _read_unnamed() -> pd.DataFrame:
    return read(fetch(SOURCE))  # which fetch refuses for want of a checksum


def _read_task(task: str, split: str, path: Path) -> pd.DataFrame:
    every = converted_copy("nats", path, read)
    return nb201_runs.of_task(every, task, split)


_NOTE = (
    "The user names their copy (truth.path=) and vouches for it, since no checksum is "
    "published; needs the extra official. It is a pickle, of which only plain data is read."
)
for _task, _split, _info in nb201_runs.described(
    "nats", SOURCE, "as in the user's copy, stated per architecture", _NOTE
):
    records.add(records.Record(_info, _read_unnamed, read_path=partial(_read_task, _task, _split)))

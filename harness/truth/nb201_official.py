"""NAS-Bench-201's own file, NAS-Bench-201-v1_1-096897.pth: every training run.

The file is a pickle, and a pickle may run any code while it is loaded. So it is read only if it
has the recorded checksum, and even then by torch's restricted loader, which refuses whatever is
not a container, a number, text or a tensor. The package ``nas-bench-201`` then restores the runs.
Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search",
ICLR 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy._core.multiarray import scalar

from harness.errors import DataError
from harness.truth import nb201_runs, records
from harness.truth.tables import converted

SOURCE = "nb201_official"
PACKAGE = "nas_201_api"
# What the file calls the runs of 200 epochs; those of 12 are "less".
RUNS = "full"
# Single numbers of numpy, under the names that numpy 1 and numpy 2 write.
NUMPY_NUMBERS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (scalar, "numpy.core.multiarray.scalar"),
    (scalar, "numpy._core.multiarray.scalar"),
    np.dtype,
    type(np.dtype("float64")),
    type(np.dtype("float32")),
    type(np.dtype("int64")),
]


def read(path: Path, _: str = "") -> pd.DataFrame:
    """Reads all tasks and splits; see ``nb201_runs.table``.

    The whole file is held in memory for that, several times its 5 GB.

    Raises:
        DataError: If the file is damaged or holds anything else.
        HarnessError: If the package ``nas-bench-201`` is not installed.
    """
    nb201_runs.results_class(PACKAGE)
    return nb201_runs.table(_states(path), PACKAGE, str(path))


def _states(path: Path) -> Iterator[nb201_runs.State]:
    archive = _load(path)
    if not isinstance(archive, dict) or not isinstance(archive.get("arch2infos"), dict):
        raise DataError(f"{path} is not NAS-Bench-201: it holds no arch2infos.")
    for runs in archive["arch2infos"].values():
        yield runs[RUNS]


def _load(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(NUMPY_NUMBERS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, EOFError, RuntimeError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path} was refused: it is damaged or a pickle of more than containers, numbers, "
            f"text and tensors, which may run any code ({reason})."
        ) from error


def _read_task(task: str, split: str) -> pd.DataFrame:
    every = converted("nb201-official", SOURCE, read, "")
    return nb201_runs.of_task(every, task, split)


_NOTE = (
    "The official file (5 GB) has to be placed by hand and needs the extra official; it "
    "is a pickle, read only with the recorded checksum and by torch's restricted loader."
)
for _task, _split, _info in nb201_runs.described(
    "official", SOURCE, "one to three, stated per architecture", _NOTE
):
    records.add(records.Record(_info, partial(_read_task, _task, _split)))

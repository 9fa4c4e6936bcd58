"""NAS-Bench-201's mean test accuracies, from a CSV of queries to the NATS-Bench API."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.errors import DataError
from harness.spaces import spaces
from harness.truth import records

KEY = "ArchitectureString"


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads one data set of the CSV.

    Returns:
        Columns ``key``, ``value`` (percent) and ``n_training_seeds``, which is missing: the file
        does not say how many runs stand behind a mean.

    Raises:
        DataError: If the CSV lacks a column.
    """
    column = f"{task}TestAccuracy200Epochs"
    try:
        raw = pd.read_csv(path, usecols=[KEY, column])
    except ValueError as error:
        raise DataError(f"{path} is not the expected table of accuracies ({error}).") from error
    missing = pd.array([pd.NA] * len(raw), dtype="Int64")
    return pd.DataFrame(
        {
            "key": raw[KEY].map(spaces.get("nb201").canonical),
            "value": raw[column],
            "n_training_seeds": missing,
        }
    )


_HALF = "half of the test images (x-test), after training on the whole training set"
_SPLITS = {
    "cifar10": ("CIFAR10", "10,000 test images, after training on all training images"),
    "cifar100": ("CIFAR100", _HALF),
    "imagenet16_120": ("ImageNet", _HALF),
}

for _task, (_file_task, _split) in _SPLITS.items():
    records.from_source(
        records.TruthInfo(
            space="nb201",
            task=_task,
            variant="test_mean",
            metric="top-1 accuracy, percent",
            split=_split,
            epochs=200,
            training_seeds="two or three, rarely one; not stated per architecture",
            aggregation="mean",
            n=15_625,
            sources=("nats_tss_means",),
            licence="",
        ),
        read,
        file_task=_file_task,
    )

"""NAS-Bench-201's test accuracy of every training seed on CIFAR-10."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.errors import DataError
from harness.inputs.unpickle import load_plain
from harness.spaces import nb201
from harness.truth import records


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads a pickled dictionary from operation numbers to the accuracies of one to three seeds.

    Returns:
        Columns ``key``, ``value`` (mean, percent), ``std`` (over seeds, missing for one seed) and
        ``n_training_seeds``.

    Raises:
        DataError: If the pickle holds anything else.
    """
    with path.open("rb") as file:
        raw = load_plain(file, str(path))
    if not isinstance(raw, dict):
        raise DataError(f"{path} holds no dictionary of {task} accuracies.")
    # Operations and edges are numbered as in the benchmark's own string.
    keys = [nb201.to_key([nb201.OPERATIONS[i] for i in ids]) for ids in raw]
    runs = pd.DataFrame([dict(enumerate(accuracies)) for accuracies in raw.values()])
    return pd.DataFrame(
        {
            "key": keys,
            "value": runs.mean(axis="columns"),
            "std": runs.std(axis="columns", ddof=1),
            "n_training_seeds": runs.count(axis="columns"),
        }
    )


records.from_source(
    records.TruthInfo(
        space="nb201",
        task="cifar10",
        variant="test_seeds",
        metric="top-1 accuracy, percent",
        split="10,000 test images, after training on all training images",
        epochs=200,
        training_seeds="one to three, stated per architecture",
        aggregation="mean",
        n=15_625,
        sources=("nb201_cifar10_seeds",),
        licence="",
        note="7,961 architectures have three runs, 5,439 two and 2,225 one.",
    ),
    read,
    file_task="cifar10",
)

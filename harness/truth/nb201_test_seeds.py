"""NAS-Bench-201's test accuracy of every training seed on CIFAR-10."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.errors import DataError
from harness.inputs.unpickle import load_plain
from harness.spaces import nb201
from harness.truth import records
from harness.truth.tables import converted

SOURCE = "nb201_cifar10_seeds"


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads a pickled dictionary from operation numbers to the accuracies of one to three seeds.

    Returns:
        Columns ``key``, ``value`` (mean, percent), ``std`` (over seeds, missing for one seed) and
        ``n_training_seeds``.

    Raises:
        DataError: If the pickle holds anything else.
    """
    runs = read_runs(path, task)
    accuracies = runs.groupby("key", sort=False)["accuracy"]
    return pd.DataFrame(
        {
            "value": accuracies.mean(),
            "std": accuracies.std(ddof=1),
            "n_training_seeds": accuracies.count(),
        }
    ).reset_index()


def read_runs(path: Path, task: str) -> pd.DataFrame:
    """Reads the accuracy of every single training run.

    Returns:
        Columns ``key``, ``run`` (0, 1, 2 in the order of the file, which does not say which of the
        benchmark's seeds each is) and ``accuracy`` (percent).

    Raises:
        DataError: If the pickle holds anything else.
    """
    with path.open("rb") as file:
        raw = load_plain(file, str(path))
    if not isinstance(raw, dict):
        raise DataError(f"{path} holds no dictionary of {task} accuracies.")
    # Operations and edges are numbered as in the benchmark's own string.
    rows = [
        (key, run, accuracy)
        for ids, accuracies in raw.items()
        for key in [nb201.to_key([nb201.OPERATIONS[i] for i in ids])]
        for run, accuracy in enumerate(accuracies)
    ]
    return pd.DataFrame(rows, columns=["key", "run", "accuracy"])


def load_runs() -> pd.DataFrame:
    """Loads the CIFAR-10 test accuracy of every training run of NAS-Bench-201; see ``read_runs``.

    Raises:
        DataError: If the file cannot be had or is not the recorded one.
    """
    return converted("nb201-cifar10-runs", SOURCE, read_runs, "cifar10")


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
        sources=(SOURCE,),
        licence="",
        note="7,961 architectures have three runs, 5,439 two and 2,225 one.",
    ),
    read,
    file_task="cifar10",
)

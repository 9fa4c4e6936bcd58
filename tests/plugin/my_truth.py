"""Ground truth that is downloaded."""

from pathlib import Path

import pandas as pd

from harness.sources import catalogue
from harness.truth.records import TruthInfo, from_source

catalogue.add(
    catalogue.Source(
        "toy_accuracies",
        licence="MIT",
        meaning="Accuracy of every width.",
        address="https://example.org/toy/accuracies.csv",
        sha256="SHA256",
    )
)


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads the published table."""
    return pd.read_csv(path).assign(n_training_seeds=1)


from_source(
    TruthInfo(
        space="toy",
        task="stripes",
        variant="mine",
        metric="top-1 accuracy, percent",
        split="nothing was trained",
        epochs=1,
        training_seeds=1,
        aggregation="single",
        n=12,
        sources=("toy_accuracies",),
    ),
    read,
    file_task="stripes",
)

"""NATS-Bench's size space: accuracies on three data sets, from the benchmark's own distribution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.sources import nb201_runs
from harness.truth import nb201_truth, records

if TYPE_CHECKING:
    import pandas as pd

EPOCHS = 90


def read(path: Path) -> pd.DataFrame:
    """Reads all tasks and splits of a folder or file; see ``nb201_runs.nats``."""
    runs = nb201_runs.nats(path, list(nb201_truth.SETS.values()), EPOCHS)
    return nb201_truth.every(runs, "nats_sss")


for (_task, _split), _images in nb201_truth.IMAGES.items():
    _info = records.TruthInfo(
        space="nats_sss",
        task=_task,
        variant="nats" if _split == "test" else "nats_validation",
        metric="top-1 accuracy, percent",
        split=_images,
        epochs=EPOCHS,
        training_seeds="as in the user's copy, stated per architecture",
        aggregation="mean",
        n=32_768,
        sources=("nats_sss",),
        note=nb201_truth.COPY,
    )
    nb201_truth.add_copy(_info, read, _split)

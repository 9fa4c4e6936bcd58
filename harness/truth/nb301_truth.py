"""NAS-Bench-301 as early NAS-Bench-Suite-Zero tables record it: accuracies from the surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.sources import suite_zero
from harness.sources.convert import converted
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd


def read_file(path: Path, task: str) -> pd.DataFrame:
    """Reads one of the two tables; no network was trained for its values."""
    to_key = spaces.get("nb301").canonical
    rows = suite_zero.early_accuracies(path, "nasbench301", task, to_key)
    return records.table(rows, n_training_seeds=0)


def read() -> pd.DataFrame:
    """Returns both tables as one; the first one counts where both hold an architecture."""
    import pandas as pd

    tables = [
        converted(f"nb301-cifar10-{name}", name, read_file, INFO.task) for name in INFO.sources
    ]
    return pd.concat(tables, ignore_index=True).drop_duplicates("key", ignore_index=True)


INFO = records.TruthInfo(
    space="nb301",
    task="cifar10",
    variant="suite_zero",
    metric="top-1 accuracy, percent",
    split="validation images, as the benchmark's surrogate predicts it",
    epochs=100,
    training_seeds="none: predicted by a surrogate",
    aggregation="surrogate",
    n=1218,
    sources=("nbsz_nb301_early", "nbsz_nb301_later"),
    note="Two early samples of 725 and 500 architectures. The seven in both have values that "
    "differ by up to 0.17, so the tables come from different fits of the surrogate; the first "
    "table's are taken.",
)
records.add(records.Record(INFO, read, default=True))

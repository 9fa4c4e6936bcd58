"""NAS-Bench-201 networks trained by this project on the bundled handwritten digits."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.checksums import check_recorded
from harness.core.errors import DataError
from harness.inputs import digits
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd

SEEDS = ["accuracy_0", "accuracy_1", "accuracy_2"]
FILE = Path(str(files("harness.truth"))) / "embedded" / "nb201_digits.csv"


def read_runs(path: Path) -> pd.DataFrame:
    """Reads a CSV of ``key`` and three accuracies in percent; ``#`` lines hold the recipe.

    Raises:
        DataError: If the file is missing, lacks a column or holds something else than numbers.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path} is missing from this installation; reinstall the package.")
    check_recorded(path)
    try:
        raw = pd.read_csv(path, comment="#", dtype=dict.fromkeys(SEEDS, float))
        raw["key"] = raw["key"].map(spaces.get("nb201").canonical)
        if raw[SEEDS].isna().any(axis=None):
            raise ValueError("a run is missing, so that its mean would be another thing")
    except (ValueError, KeyError) as error:
        raise DataError(f"{path} needs the columns key, {', '.join(SEEDS)} ({error}).") from error
    return raw


def read(path: Path) -> pd.DataFrame:
    """Reads mean and deviation over the three runs of an architecture; see ``read_runs``."""
    raw = read_runs(path)
    return records.over_runs(dict(zip(raw["key"], raw[SEEDS].to_numpy().tolist(), strict=True)))


records.add(
    records.Record(
        records.TruthInfo(
            space="nb201",
            task="digits",
            variant="measured",
            metric="top-1 accuracy, percent",
            split=f"{digits.TEST:,} test images, after training on {digits.TRAIN:,}",
            epochs=4,
            training_seeds=len(SEEDS),
            aggregation="mean",
            n=None,
            sources=(),
            licence="MIT",
            note=f"Trained by this project; the recipe stands at the head of {FILE.name}.",
        ),
        lambda: read(FILE),
        default=True,
    )
)

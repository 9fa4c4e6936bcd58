"""NAS-Bench-101: 292 cells of an early NAS-Bench-Suite-Zero table, or all 423,624 officially."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import DataError, HarnessError
from harness.sources import nb101_runs, suite_zero, tfrecord
from harness.spaces import nb101
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd

EPOCHS = 108


def read_suite_zero(path: Path, task: str) -> pd.DataFrame:
    """Reads the early table and keeps the first spelling of every cell.

    The 500 entries are labelled matrices, several of which may be isomorphic: one cell appears 55
    times. Isomorphic entries differ at most in which of the three training runs they show.
    """
    space = spaces.get("nb101")
    rows = suite_zero.early_accuracies(path, "nasbench101", task, space.canonical)
    table = records.table(rows, n_training_seeds=1)
    classes = table["key"].map(space.isomorphism_class)
    return table[~classes.duplicated()].reset_index(drop=True)


def read_official(path: Path, split: str) -> pd.DataFrame:
    """Reads the accuracies at the end of training, of the runs of 108 epochs.

    Args:
        path: The TFRecord file.
        split: ``test`` or ``validation``.

    Returns:
        As ``records.over_runs``; the key is the table's own spelling of the cell, so that the
        parameters are those of the trained network.

    Raises:
        DataError: If the file is damaged or holds anything else.
    """
    keys: dict[str, str] = {}
    runs: dict[str, list[float]] = {}
    for number, record in enumerate(tfrecord.records(path), start=1):
        try:
            run = nb101_runs.parsed(record)
            if run.epochs == EPOCHS:
                if run.cell not in keys:
                    keys[run.cell] = nb101.from_spec(run.matrix, run.operations)
                runs.setdefault(run.cell, []).append(run.accuracy(split))
        except (ValueError, HarnessError) as error:
            raise DataError(f"{path}, record {number:,}, is not a training run: {error}.") from None
    if not runs:
        raise DataError(f"{path} holds no training runs of {EPOCHS} epochs.")
    return records.over_runs({keys[cell]: accuracies for cell, accuracies in runs.items()})


records.from_source(
    records.TruthInfo(
        space="nb101",
        task="cifar10",
        variant="suite_zero",
        metric="top-1 accuracy, percent",
        # The values are whole numbers of 9,984 images: 39 batches of 256.
        split="9,984 of the 10,000 validation images, after training on the other 40,000",
        epochs=EPOCHS,
        training_seeds=1,
        aggregation="single",
        n=292,
        sources=("nbsz_nb101_early",),
        note="An early sample of 500 labelled matrices, of which 292 cells are different; each is "
        "represented by its first entry in the file. Cells with many spellings are more likely to "
        "be among them than in a uniform draw from the benchmark.",
    ),
    read_suite_zero,
    file_task="cifar10",
    default=True,
)
for _split, _variant in (("test", "official"), ("validation", "official_validation")):
    records.from_source(
        records.TruthInfo(
            space="nb101",
            task="cifar10",
            variant=_variant,
            metric="top-1 accuracy, percent",
            split=f"10,000 {_split} images, after training on 40,000 training images",
            epochs=EPOCHS,
            training_seeds=3,
            aggregation="mean",
            n=423_624,
            sources=("nb101_only108",),
            note="The official file (499 MB) has to be placed by hand; it is converted once.",
        ),
        read_official,
        file_task=_split,
    )

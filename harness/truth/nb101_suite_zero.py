"""NAS-Bench-101 as an early NAS-Bench-Suite-Zero table records it: 292 of the 423,624 cells."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.spaces import nb101, spaces
from harness.truth import records, suite_zero


def to_key(text: str) -> str:
    """Returns the key of a cell written as a tuple of 56 integers."""
    return nb101.from_naslib(suite_zero.ids(text))


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads the table and keeps the first spelling of every cell; see ``early_accuracies``.

    The 500 entries are labelled matrices, several of which may be isomorphic: one cell appears 55
    times. Isomorphic entries differ at most in which of the three training runs they show.
    """
    table = suite_zero.early_accuracies(path, "nasbench101", task, to_key)
    classes = table["key"].map(spaces.get("nb101").isomorphism_class)
    return table[~classes.duplicated()].reset_index(drop=True)


records.from_source(
    records.TruthInfo(
        space="nb101",
        task="cifar10",
        variant="suite_zero",
        metric="top-1 accuracy, percent",
        # The values are whole numbers of 9,984 images: 39 batches of 256.
        split="9,984 of the 10,000 validation images, after training on the other 40,000",
        epochs=108,
        training_seeds=1,
        aggregation="single",
        n=292,
        sources=("nbsz_nb101_early",),
        licence="",
        note="An early sample of 500 labelled matrices, of which 292 cells are different; each is "
        "represented by its first entry in the file. Cells with many spellings are more likely to "
        "be among them than in a uniform draw from the benchmark.",
    ),
    read,
    file_task="cifar10",
    default=True,
)

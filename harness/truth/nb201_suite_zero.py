"""NAS-Bench-201 as NAS-Bench-Suite-Zero records it: one training run per architecture."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.spaces import nb201
from harness.truth import records, suite_zero

# Number of an operation in an architecture tuple; not the order of the benchmark itself.
OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
# Edge of each position; the architecture string is sorted by target, this by source.
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


def to_key(ids: suite_zero.Ids) -> str:
    """Returns the architecture string of a tuple of six operation numbers."""
    operation = {edge: OPERATIONS[i] for edge, i in zip(EDGES, ids, strict=True)}
    return nb201.to_key([operation[edge] for edge in nb201.EDGES])


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads one data set of the zip; see ``suite_zero.accuracies``."""
    return suite_zero.accuracies(path, task, to_key)


_SPLITS = {
    "cifar10": ("cifar10", "10,000 test images, after training on half of the training images"),
    "cifar100": ("cifar100", "5,000 of the 10,000 test images, after training on the training set"),
    "imagenet16_120": (
        "ImageNet16-120",
        "3,000 of the 6,000 test images, after training on the training set",
    ),
}
# The numbers of images follow from the values, each a whole number of so many images.
_NOTE = "NAS-Bench-Suite-Zero calls this validation accuracy. "
_NOTES = {
    "cifar10": "The run is the benchmark's cifar10-valid, whose validation half has 25,000 images; "
    "the values are whole numbers of 10,000, so they were measured on the test set.",
    "cifar100": "Its spread around the variant test_mean is that of one of the averaged runs, so "
    "it probably is x-test.",
    "imagenet16_120": "Its spread around the variant test_mean is close to that of one of the "
    "averaged runs, so it probably is x-test.",
}

for _task, (_file_task, _split) in _SPLITS.items():
    records.from_source(
        records.TruthInfo(
            space="nb201",
            task=_task,
            variant="suite_zero",
            metric="top-1 accuracy, percent",
            split=_split,
            epochs=200,
            training_seeds=1,
            aggregation="single",
            n=15_625,
            sources=("nbsz_nb201",),
            licence="",
            note=_NOTE + _NOTES[_task],
        ),
        read,
        file_task=_file_task,
        default=True,
    )

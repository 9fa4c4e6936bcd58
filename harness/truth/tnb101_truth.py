"""TransNAS-Bench-101, micro and macro, as NAS-Bench-Suite-Zero records it: seven tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.sources import suite_zero
from harness.sources.convert import Reader
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd


def read_micro(path: Path, task: str) -> pd.DataFrame:
    """Reads one task of the micro zip; see ``suite_zero.accuracies``."""
    return records.table(suite_zero.accuracies(path, task, spaces.get("tnb101_micro").canonical), 1)


def read_macro(path: Path, task: str) -> pd.DataFrame:
    """Reads one task of the macro zip; its tuples have four to six numbers, without padding."""
    return records.table(suite_zero.accuracies(path, task, spaces.get("tnb101_macro").canonical), 1)


class _Metric(NamedTuple):
    """What the benchmark measured on a task, after how many epochs, on which images."""

    name: str
    epochs: int
    images: str = "validation images"
    note: str = ""


_TOP1 = "top-1 accuracy, percent"
# 157 batches of 128; all accuracies are whole numbers of these.
_COUNTED = "20,096 validation images"
_CLASSES = (
    "The benchmark trained with soft labels on {} classes; the networks that "
    "NAS-Bench-Suite-Zero scored have {}."
)
_METRICS = {
    "class_scene": _Metric(_TOP1, 25, _COUNTED, _CLASSES.format(47, 63)),
    "class_object": _Metric(_TOP1, 25, _COUNTED, _CLASSES.format(75, 100)),
    "room_layout": _Metric("negative mean squared error of nine layout parameters", 25),
    "jigsaw": _Metric(_TOP1, 10, _COUNTED, "1,000 permutations of nine tiles are told apart."),
    "segmentsemantic": _Metric("pixel accuracy, percent", 30),
    "normal": _Metric("structural similarity (SSIM), 0 to 1", 30),
    "autoencoder": _Metric("structural similarity (SSIM), 0 to 1", 30),
}


def _register(space: str, source: str, n: int, reader: Reader) -> None:
    for task, metric in _METRICS.items():
        info = records.TruthInfo(
            space=space,
            task=task,
            variant="suite_zero",
            metric=metric.name,
            split=f"{metric.images} of Taskonomy, after training on its training images",
            epochs=metric.epochs,
            training_seeds=1,
            aggregation="single",
            n=n,
            sources=(source,),
            note=metric.note,
        )
        records.from_package(info, reader, file_task=task, default=True)


_register("tnb101_micro", "nbsz_tnb101_micro", 4096, read_micro)
_register("tnb101_macro", "nbsz_tnb101_macro", 3256, read_macro)

"""ViT-Bench-101: accuracies of 200 AutoFormer and 100 PiT networks, of three kinds.

``base`` is a network that was trained alone, ``kd`` one that was trained with distillation, and
``supernet`` one with inherited weights, which was never trained. They are different things, so no
table holds two of them.
Wei et al., "Auto-Prox: Training-Free Vision Transformer Architecture Search via Automatic Proxy
Discovery", AAAI 2024.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from harness.core.errors import DataError, HarnessError
from harness.sources.unpickle import load_plain
from harness.spaces import autoformer, pit
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd

ToKey = Callable[[Mapping[str, Any]], str]
DIGITS = 4  # of a percentage; what follows them is the rounding of floats, and would split ties


def read_autoformer(first: Path, second: Path, column: str) -> pd.DataFrame:
    """Reads one column of the AutoFormer files, of the networks that have it."""
    return _read((first, second), column, _autoformer_key)


def read_pit(path: Path, column: str) -> pd.DataFrame:
    """Reads one column of the PiT file."""
    return _read((path,), column, _pit_key)


def _read(paths: tuple[Path, ...], column: str, to_key: ToKey) -> pd.DataFrame:
    rows: list[tuple[str, float]] = []
    for path in paths:
        try:
            for entry in _entries(path):
                if entry[column] is not None:
                    rows.append((to_key(entry["arch"]), round(float(entry[column]), DIGITS)))
        except (KeyError, TypeError, ValueError, HarnessError) as error:
            raise DataError(f"{path} is not a ViT-Bench-101 table ({error!r}).") from error
    return records.table(rows, n_training_seeds=1)


def _entries(path: Path) -> Any:
    """Returns what torch saved: a list of dictionaries, without any tensor."""
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(name) as file:
                return load_plain(cast(BinaryIO, file), str(path), {}, "plain containers")
    except (ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a file that torch saved ({error}).") from error


def _autoformer_key(arch: Mapping[str, Any]) -> str:
    blocks = tuple(zip(arch["num_heads"], arch["mlp_ratio"], strict=True))
    if len(blocks) != arch["depth"]:
        raise ValueError(f"a depth of {arch['depth']} with {len(blocks)} blocks")
    return autoformer.parse(autoformer.AutoFormerArchitecture(arch["hidden_dim"], blocks).key).key


def _pit_key(arch: Mapping[str, Any]) -> str:
    parts = arch["base_dim"], arch["mlp_ratio"], tuple(arch["depth"]), tuple(arch["num_heads"])
    return pit.parse(pit.PitArchitecture(*parts).key).key


# Task -> the start of a column's name, and the images; their number follows from the accuracies,
# each a whole number of so many images.
_TASKS = {
    "vit_cifar100": ("c100", "all 10,000 test images of CIFAR-100"),
    "flowers102": ("flower", "all 6,149 test images of Flowers-102"),
    "chaoyang": ("chaoyang", "all 2,139 test images of Chaoyang"),
}
# Variant -> the end of a column's name, and how the networks got their weights.
_KINDS = {
    "base": ("base_acc", "after training on the training images at 224×224, without a teacher"),
    "kd": (
        "kd_acc",
        "after training on the training images at 224×224 with distillation of the features of a "
        "ResNet-56",
    ),
}
_NOTES = {
    "autoformer": "All accuracies lie close together: within 2.3 points for CIFAR-100 without a "
    "teacher.",
    "pit": "The largest network has nearly two hundred times the parameters of the smallest, and "
    "accuracy follows size.",
}
_SPACES: dict[str, tuple[tuple[str, ...], Callable[..., pd.DataFrame]]] = {
    "autoformer": (("vit_bench_autoformer", "vit_bench_autoformer_2"), read_autoformer),
    "pit": (("vit_bench_pit",), read_pit),
}
_INFO = partial(
    records.TruthInfo,
    metric="top-1 accuracy, percent",
    epochs=300,
    training_seeds=1,
    aggregation="single",
)


def _add_trained(space: str, task: str, variant: str, n: int) -> None:
    sources, reader = _SPACES[space]
    (start, images), (end, training) = _TASKS[task], _KINDS[variant]
    info = _INFO(
        space=space,
        task=task,
        variant=variant,
        split=f"{images}, {training}",
        n=n,
        sources=sources,
        note=_NOTES[space],
    )
    records.from_package(info, reader, file_task=f"{start}_{end}", default=variant == "base")


for _task in _TASKS:
    _add_trained("autoformer", _task, "base", 100)
    _add_trained("autoformer", _task, "kd", 200)
    _add_trained("pit", _task, "base", 100)
    _add_trained("pit", _task, "kd", 100)

records.from_package(
    _INFO(
        space="autoformer",
        task="vit_imagenet",
        variant="supernet",
        split="all 50,000 validation images of ImageNet, with weights inherited from a supernet",
        n=200,
        sources=_SPACES["autoformer"][0],
        note="No accuracy of a trained network: the supernet was trained, for 300 epochs, and each "
        "network takes its weights from it as they are.",
    ),
    read_autoformer,
    file_task="imagenet_super_acc",
    default=True,
)

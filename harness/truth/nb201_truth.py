"""NAS-Bench-201: accuracies of 15,625 architectures on three data sets, as five files hold them.

``suite_zero`` is one run per architecture, ``test_mean`` the mean over runs, ``test_seeds`` every
run on CIFAR-10. ``official`` and ``nats`` are the benchmark's own two distributions, with test and
validation accuracies of every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import DataError
from harness.sources import nb201_runs, suite_zero
from harness.sources.convert import converted, converted_copy
from harness.sources.fetch import fetch
from harness.sources.unpickle import load_plain
from harness.spaces import nb201
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd

_TRAINED = "after training on the training set"
_INFO = partial(
    records.TruthInfo, space="nb201", metric="top-1 accuracy, percent", epochs=200, n=15_625
)

# NAS-Bench-Suite-Zero: one run.


def read_suite_zero(path: Path, task: str) -> pd.DataFrame:
    """Reads one data set of the zip; see ``suite_zero.accuracies``."""
    rows = suite_zero.accuracies(path, task, spaces.get("nb201").canonical)
    return records.table(rows, n_training_seeds=1)


# Task -> what the file calls it, images, note. The numbers of images follow from the values, each
# a whole number of so many images.
_SUITE_ZERO = {
    "cifar10": (
        "cifar10",
        "10,000 test images, after training on half of the training images",
        "The run is the benchmark's cifar10-valid, whose validation half has 25,000 images; the "
        "values are whole numbers of 10,000, so they were measured on the test set.",
    ),
    "cifar100": (
        "cifar100",
        f"5,000 of the 10,000 test images, {_TRAINED}",
        "Its spread around the variant test_mean is that of one of the averaged runs, so it "
        "probably is x-test.",
    ),
    "imagenet16_120": (
        "ImageNet16-120",
        f"3,000 of the 6,000 test images, {_TRAINED}",
        "Its spread around the variant test_mean is close to that of one of the averaged runs, so "
        "it probably is x-test.",
    ),
}
for _task, (_file_task, _images, _note) in _SUITE_ZERO.items():
    records.from_package(
        _INFO(
            task=_task,
            variant="suite_zero",
            split=_images,
            training_seeds=1,
            aggregation="single",
            sources=("nbsz_nb201",),
            note=f"NAS-Bench-Suite-Zero calls this validation accuracy. {_note}",
        ),
        read_suite_zero,
        file_task=_file_task,
        default=True,
    )


# Means over runs.


def read_test_mean(path: Path, _: str) -> pd.DataFrame:
    """Reads a CSV of the benchmark's indices; it does not say how many runs a mean has.

    Raises:
        DataError: If the CSV lacks a column or an index.
    """
    import pandas as pd

    keys = spaces.get("nb201").numbered()
    try:
        values = pd.read_csv(path).set_index("index")["accuracy"].reindex(range(len(keys)))
        if values.isna().any():
            raise ValueError(f"no accuracy of the index {values.index[values.isna()][0]}")
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} is not the expected table of accuracies ({error}).") from error
    return records.table(zip(keys, values, strict=True), n_training_seeds=None)


_HALF = "half of the test images (x-test), after training on the whole training set"
_ALL = "10,000 test images, after training on all training images"
for _task, _images in (("cifar10", _ALL), ("cifar100", _HALF), ("imagenet16_120", _HALF)):
    records.from_package(
        _INFO(
            task=_task,
            variant="test_mean",
            split=_images,
            training_seeds="two or three, rarely one; not stated per architecture",
            aggregation="mean",
            sources=(f"nb201_test_mean_{_task}",),
        ),
        read_test_mean,
        file_task="",
    )


# Every training seed on CIFAR-10.


def read_test_seeds(path: Path, task: str) -> pd.DataFrame:
    """Reads mean and deviation over the one to three runs of an architecture; see ``read_runs``."""
    accuracies = read_runs(path, task).groupby("key", sort=False)["accuracy"]
    table = accuracies.agg(value="mean", std="std", n_training_seeds="count")
    return table.reset_index()


def read_runs(path: Path, task: str) -> pd.DataFrame:
    """Reads a pickled dictionary from operation numbers to the accuracy of every training run.

    Returns:
        Columns ``key``, ``run`` (0, 1, 2 in the order of the file, which does not say which of the
        benchmark's seeds each is) and ``accuracy`` (percent).

    Raises:
        DataError: If the pickle holds anything else.
    """
    import pandas as pd

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
    """Loads the CIFAR-10 test accuracy of every training run; see ``read_runs``.

    Raises:
        DataError: If the file cannot be had or is not the recorded one.
    """
    return converted("nb201-cifar10-runs", "nb201_cifar10_seeds", read_runs, "cifar10")


records.from_source(
    _INFO(
        task="cifar10",
        variant="test_seeds",
        split=_ALL,
        training_seeds="one to three, stated per architecture",
        aggregation="mean",
        sources=("nb201_cifar10_seeds",),
        note="7,961 architectures have three runs, 5,439 two and 2,225 one.",
    ),
    read_test_seeds,
    file_task="cifar10",
)


# The benchmark's own distributions.

# (task, split) -> what the benchmark calls the training runs and the images.
SETS = {
    ("cifar10", "test"): ("cifar10", "ori-test"),
    ("cifar10", "validation"): ("cifar10-valid", "x-valid"),
    ("cifar100", "test"): ("cifar100", "x-test"),
    ("cifar100", "validation"): ("cifar100", "x-valid"),
    ("imagenet16_120", "test"): ("ImageNet16-120", "x-test"),
    ("imagenet16_120", "validation"): ("ImageNet16-120", "x-valid"),
}


def read_official(path: Path, _: str = "") -> pd.DataFrame:
    """Reads all tasks and splits of the benchmark's own file; see ``nb201_runs.official``."""
    return every(nb201_runs.official(path, list(SETS.values())), "nb201")


def read_nats(path: Path) -> pd.DataFrame:
    """Reads all tasks and splits of a NATS-Bench folder or file; see ``nb201_runs.nats``."""
    return every(nb201_runs.nats(path, list(SETS.values())), "nb201")


def every(runs: Iterable[nb201_runs.Runs], space: str) -> pd.DataFrame:
    """Returns the accuracies of all tasks and splits, with these as columns."""
    import pandas as pd

    found: dict[tuple[str, str], dict[str, list[float]]] = {images: {} for images in SETS.values()}
    for one in runs:
        found[one.images][spaces.get(space).canonical(one.architecture)] = one.accuracies
    return pd.concat(
        [
            records.over_runs(found[images]).assign(task=task, split=split)
            for (task, split), images in SETS.items()
        ],
        ignore_index=True,
    )


def of_task(every: pd.DataFrame, task: str, split: str) -> pd.DataFrame:
    """Returns the rows of one task and split, without these two columns."""
    chosen = (every["task"] == task) & (every["split"] == split)
    return every.loc[chosen].drop(columns=["task", "split"]).reset_index(drop=True)


def _official(task: str, split: str) -> pd.DataFrame:
    return of_task(converted("nb201-official", "nb201_official", read_official, ""), task, split)


def add_copy(info: records.TruthInfo, reader: Callable[[Path], pd.DataFrame], split: str) -> None:
    """Registers one task and split of a copy that the user names.

    Args:
        info: What it means, naming its one source, of which no checksum is published.
        reader: Reads all tasks and splits of the copy.
        split: ``test`` or ``validation``.
    """
    (source,) = info.sources

    def unnamed() -> pd.DataFrame:
        return reader(fetch(source))  # which fetch refuses for want of a checksum

    def named(path: Path) -> pd.DataFrame:
        return of_task(converted_copy(source, path, reader), info.task, split)

    records.add(records.Record(info, unnamed, read_path=named))


COPY = (
    "The user names their copy (truth.path=) and vouches for it, since no checksum is published; "
    "needs the extra official. It is a pickle, of which only plain data is read."
)
IMAGES = {
    ("cifar10", "test"): _ALL,
    ("cifar10", "validation"): "half of the training images, after training on the other half",
    **{
        (task, split): f"{half} ({name}), {_TRAINED}"
        for task in ("cifar100", "imagenet16_120")
        for split, half, name in (
            ("test", "half of the test images", "x-test"),
            ("validation", "the other half of the test images", "x-valid"),
        )
    },
}
for (_task, _split), _images in IMAGES.items():
    _suffix = "" if _split == "test" else "_validation"
    _shared = partial(_INFO, task=_task, split=_images, aggregation="mean")
    _file = _shared(
        variant=f"official{_suffix}",
        training_seeds="one to three, stated per architecture",
        sources=("nb201_official",),
        note="The official file (5 GB) has to be placed by hand and needs the extra official; it "
        "is a pickle, read only with the recorded checksum and by torch's restricted loader.",
    )
    records.add(records.Record(_file, partial(_official, _task, _split)))
    _copy = _shared(
        variant=f"nats{_suffix}",
        training_seeds="as in the user's copy, stated per architecture",
        sources=("nats_tss",),
        note=COPY,
    )
    add_copy(_copy, read_nats, _split)

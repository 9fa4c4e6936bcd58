"""NAS-Bench-101: test accuracies of all 423,624 cells, validation accuracies of some."""

from __future__ import annotations

import gzip
import json
import pickletools
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import DataError, HarnessError
from harness.sources import nb101_runs, suite_zero, tfrecord
from harness.sources.fetch import fetch
from harness.spaces import nb101, nb101_table
from harness.spaces.space import spaces
from harness.truth import bundled, records

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


# The bundled tables count correct images: those of a row are the cell at its place of the space.
IMAGES = 9_984  # 39 batches of 256 of the 10,000 test or validation images
RUNS = 3
MEAN, VALIDATION = "nb101_cifar10_test_mean", "nb101_cifar10_validation"
VALIDATED = ("nb101_validation_first", "nb101_validation_later")  # files of cells without gaps
EVERY_EPOCHS = (4, 12, 36, 108)


def make_test_mean() -> pd.DataFrame:
    """Returns ``count``: the correct ones of three times 9,984 images, for every cell in order."""
    import pandas as pd

    path = fetch("nb101_test_mean")
    size = 8 * len(nb101_table.codes())
    with gzip.open(path) as pickle:  # its last long byte string; nothing of it is executed
        texts = [
            argument
            for _, argument, _ in pickletools.genops(pickle.read())
            if isinstance(argument, bytes) and len(argument) == size
        ]
    if not texts:
        raise DataError(f"{path} holds no {size:,} bytes of accuracies.")
    return pd.DataFrame({"count": counts(np.frombuffer(texts[-1], "<f8"), RUNS * IMAGES, path)})


def make_validation() -> pd.DataFrame:
    """Returns ``place`` among the cells, a count after every number of epochs, and ``seconds``."""
    import pandas as pd

    parts = []
    for path in map(fetch, VALIDATED):
        content = json.loads(path.read_text(encoding="utf-8"))
        start = nb101_table.position(content["key"][0])
        if start is None or not nb101_table.follow(start, content["key"]):
            raise DataError(f"{path} does not list cells in the order of their hashes.")
        part = {
            f"epochs_{epochs}": counts(
                np.array(content[f"{epochs}_final_validation_accuracy"]), IMAGES, path
            )
            for epochs in EVERY_EPOCHS
        }
        place = np.arange(start, start + len(content["key"]), dtype=np.uint32)
        seconds = np.rint(content["final_training_time"]).astype(np.uint16)
        parts.append(pd.DataFrame({"place": place, **part, "seconds": seconds}))
    return pd.concat(parts, ignore_index=True)


def counts(shares: NDArray[np.float64], images: int, path: Path) -> NDArray[np.uint16]:
    """Returns how many images shares from 0 to 1 are.

    Raises:
        DataError: If one is no whole number of images.
    """
    found = np.rint(shares * images)
    # The files hold float32 or means of them.
    if not (np.abs(shares * images - found) < 1e-3).all() or not (0 <= found.min() <= images):
        raise DataError(f"{path} holds accuracies that are no whole numbers of {images:,} images.")
    return found.astype(np.uint16)


def read_test_mean() -> pd.DataFrame:
    """Reads the mean over three runs, of every cell."""
    import pyarrow as pa

    count = bundled.read(MEAN)["count"].to_numpy()
    value = count * (100 / (RUNS * IMAGES))
    table: pd.DataFrame = pa.table({"key": nb101_table.keys(), "value": value}).to_pandas()
    return table.assign(n_training_seeds=RUNS)


def read_validation(epochs: int) -> pd.DataFrame:
    """Reads one run's accuracy after so many epochs, of 30,001 cells."""
    table = bundled.read(VALIDATION)
    keys = nb101_table.keys_at(table["place"].to_numpy()).to_pylist()
    return records.table(zip(keys, table[f"epochs_{epochs}"] * (100 / IMAGES), strict=True), 1)


def load_epochs() -> pd.DataFrame:
    """Loads how 30,001 cells' validation accuracy grew in one run, and what training took.

    Returns:
        Columns ``key``, ``epochs_4``, ``epochs_12``, ``epochs_36``, ``epochs_108`` (percent, each
        at the end of a training of so many epochs), ``seconds`` (of the one of 108, on a TPU v2;
        whole seconds) and ``test`` (percent, the variant ``test_mean``).
    """
    table = bundled.read(VALIDATION)
    places = table["place"].to_numpy()
    percent = table[[f"epochs_{epochs}" for epochs in EVERY_EPOCHS]] * (100 / IMAGES)
    percent.insert(0, "key", nb101_table.keys_at(places).to_pandas())
    test = bundled.read(MEAN)["count"].to_numpy()[places] * (100 / (RUNS * IMAGES))
    return percent.assign(seconds=table["seconds"].astype(int), test=test)


bundled.recipes.add(MEAN, make_test_mean)
bundled.recipes.add(VALIDATION, make_validation)
_INFO = partial(records.TruthInfo, space="nb101", task="cifar10", metric="top-1 accuracy, percent")
records.add(
    records.Record(
        _INFO(
            variant="test_mean",
            split=f"{IMAGES:,} of the 10,000 test images, after training on 40,000 training images",
            epochs=EPOCHS,
            training_seeds=RUNS,
            aggregation="mean",
            n=423_624,
            sources=("nb101_test_mean",),
            note="Every cell of the benchmark, in the spelling that it trained; exact where the "
            "benchmark rounds each run to 32 bits.",
        ),
        read_test_mean,
        default=True,
        bundled=True,
    )
)
for _epochs in EVERY_EPOCHS:
    records.add(
        records.Record(
            _INFO(
                variant=f"validation_{_epochs}",
                split=f"{IMAGES:,} of the 10,000 validation images, after training on the other "
                "40,000",
                epochs=_epochs,
                training_seeds=1,
                aggregation="single",
                n=30_001,
                sources=VALIDATED,
                note="Cells in two stretches of the ascending hashes, which are as good as random.",
            ),
            partial(read_validation, _epochs),
            bundled=True,
        )
    )
records.from_package(
    _INFO(
        variant="suite_zero",
        # The values are whole numbers of 9,984 images: see IMAGES.
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
)
for _split, _variant in (("test", "official"), ("validation", "official_validation")):
    records.from_source(
        _INFO(
            variant=_variant,
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

"""The one-cell DARTS networks published with SWAP-Score, all of them trained on CIFAR-10."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import DataError, HarnessError
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd


def read(path: Path, task: str) -> pd.DataFrame:
    """Reads a CSV without header: the genotype and its accuracy in percent.

    Raises:
        DataError: If the CSV holds anything else.
    """
    import pandas as pd

    try:
        raw = pd.read_csv(path, header=None, names=["genotype", "value"], dtype={"value": float})
        keys = raw["genotype"].map(spaces.get("darts_swap").canonical)
    except (AttributeError, TypeError, ValueError, HarnessError) as error:
        raise DataError(f"{path} is not the table of {task} accuracies ({error}).") from error
    return records.table(zip(keys, raw["value"], strict=True), n_training_seeds=1)


# The accuracies are those of C=3; at C=1 the same cells are scored, as in the paper's Table 3.
for _space in ("darts_swap", "darts_swap_c1"):
    records.from_source(
        records.TruthInfo(
            space=_space,
            task="cifar10",
            variant="trained",
            metric="top-1 accuracy, percent",
            split="10,000 test images, after training on the training images",
            epochs=200,
            training_seeds=1,
            aggregation="single",
            n=1000,
            sources=("swap_darts_cifar10",),
            note="The publishers state the epochs and no more. Every value is a whole number of "
            "10,000 images, so it is one run's and not a mean.",
        ),
        read,
        file_task="cifar10",
        default=True,
    )

"""NAS-Bench-301: accuracies that the benchmark's surrogate predicts; none was measured."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.core.errors import DataError
from harness.sources import suite_zero
from harness.sources.unpickle import ARRAYS, NUMBERS, Allowed, load_plain
from harness.spaces import nb301
from harness.spaces.darts import Genotype
from harness.spaces.space import spaces
from harness.truth import records

if TYPE_CHECKING:
    import pandas as pd


def read_suite_zero(first: Path, second: Path, task: str) -> pd.DataFrame:
    """Reads two early tables as one; the first counts where both hold an architecture."""
    to_key = spaces.get("nb301").canonical
    rows: dict[str, float] = {}
    for path in (first, second):
        for key, value in suite_zero.early_accuracies(path, "nasbench301", task, to_key):
            rows.setdefault(key, value)
    return records.table(rows.items(), n_training_seeds=0)


class _Genotype(NamedTuple):
    """What the pickle of genotypes calls ``Genotype``."""

    normal: list[tuple[str, int]]
    normal_concat: list[int]
    reduce: list[tuple[str, int]]
    reduce_concat: list[int]


_NUMBERS: Allowed = {**ARRAYS, **NUMBERS}
_GENOTYPES: Allowed = {**_NUMBERS, ("__main__", "Genotype"): _Genotype}


def read_noisy(genotypes: Path, accuracies: Path, _: str) -> pd.DataFrame:
    """Reads genotypes and accuracies, two lists in the same order.

    Raises:
        DataError: If the lists do not belong together.
    """
    with genotypes.open("rb") as file:
        cells = load_plain(file, str(genotypes), _GENOTYPES, "genotypes and numbers")
    with accuracies.open("rb") as file:
        values = load_plain(file, str(accuracies), _NUMBERS, "numbers")
    if not isinstance(cells, list) or not isinstance(values, list) or len(cells) != len(values):
        raise DataError(f"{genotypes} and {accuracies} are not two lists of the same length.")
    rows = {_key(cell): float(value) for cell, value in zip(cells, values, strict=True)}
    return records.table(rows.items(), n_training_seeds=0)


def _key(cell: _Genotype) -> str:
    edges = [
        tuple((operation, int(source)) for operation, source in pairs)
        for pairs in (cell.normal, cell.reduce)
    ]
    return nb301.to_key(Genotype(*edges))


_SURROGATE = "validation images, as the benchmark's surrogate predicts it"
_INFO = partial(
    records.TruthInfo,
    space="nb301",
    task="cifar10",
    metric="top-1 accuracy, percent",
    epochs=100,
    training_seeds="none: predicted by a surrogate",
    aggregation="surrogate",
)
records.from_package(
    _INFO(
        variant="suite_zero",
        split=_SURROGATE,
        n=1218,
        sources=("nbsz_nb301_early", "nbsz_nb301_later"),
        note="Two early samples of 725 and 500 architectures. The seven in both have values that "
        "differ by up to 0.17, so the tables come from different fits of the surrogate; the first "
        "table's are taken.",
    ),
    read_suite_zero,
    file_task="cifar10",
    default=True,
)
records.from_package(
    _INFO(
        variant="surrogate_noisy",
        split=f"{_SURROGATE}, with noise",
        n=10_000,
        sources=("nb301_genotypes", "nb301_noisy_accuracies"),
        note="Random architectures; version 0.9 of the surrogate (XGBoost) draws its answer from "
        "the predictions of its ensemble, so that two architectures that are alike may differ.",
    ),
    read_noisy,
    file_task="",
)

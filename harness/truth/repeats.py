"""Training noise that bundled tables show: a single run beside a mean of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from harness.truth import bundled, digits_truth, nb101_truth, records


@dataclass(frozen=True)
class Repeats:
    """Some architectures of a benchmark, trained several times.

    Attributes:
        one: n accuracies, of one training run each.
        mean: n means over ``runs`` runs of the same architectures.
        runs: How many.
        within: Whether the single run is one of those.
        behind: Variant of the ground truth -> how many runs are behind each of its values.
        note: What the two are.
    """

    one: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    runs: int
    within: bool
    behind: Mapping[str, int]
    note: str


@cache
def repeats(space: str, task: str) -> Repeats | None:
    """Returns what bundled tables show of a benchmark's training noise; None if they show none.

    Raises:
        DataError: If this installation lacks a table or it is damaged.
    """
    known = _KNOWN.get((space, task))
    return known() if known else None


def _nb101() -> Repeats:
    mean = bundled.read(nb101_truth.MEAN)["count"].to_numpy(float)
    one = bundled.read(nb101_truth.VALIDATION)
    return Repeats(
        one=one[f"epochs_{nb101_truth.EPOCHS}"].to_numpy(float) * (100 / nb101_truth.IMAGES),
        mean=mean[one["place"]] * (100 / nb101_truth.RUNS / nb101_truth.IMAGES),
        runs=nb101_truth.RUNS,
        within=True,
        behind={"test_mean": 3, "official": 3, "validation_108": 1, "suite_zero": 1},
        note="validation accuracy of one of three runs beside their mean test accuracy; what other "
        "images change counts as noise",
    )


def _nb201(task: str, images: int, within: bool, note: str) -> Repeats:
    """Of the architectures whose mean shows that it is one of three runs."""
    one, mean = (
        records.read(records.get("nb201", task, variant), None).set_index("key")["value"]
        for variant in ("suite_zero", "test_mean")
    )
    values = mean.reindex(one.index).to_numpy(float)
    thirds = values * (3 * images / 100)
    # A run's accuracy is a whole number of images: a mean that is a third of one has three runs.
    three = (np.abs(thirds - np.rint(thirds)) < 0.01) & (np.rint(thirds) % 3 > 0)
    return Repeats(
        one=one.to_numpy(float)[three],
        mean=values[three],
        runs=3,
        within=within,
        # Two or three, rarely one, and nothing says which.
        behind={"suite_zero": 1, "test_mean": 2},
        note=note,
    )


def _digits() -> Repeats:
    first, *others = digits_truth.read_runs(digits_truth.FILE)[digits_truth.SEEDS].to_numpy().T
    return Repeats(
        one=first,
        mean=np.mean(others, axis=0),
        runs=len(others),
        within=False,
        behind={"measured": len(digits_truth.SEEDS)},
        note="one run beside the mean of the two others",
    )


_ONE_OF_THREE = "one of three runs beside their mean"
_KNOWN: dict[tuple[str, str], Callable[[], Repeats]] = {
    ("nb101", "cifar10"): _nb101,
    ("nb201", "cifar10"): partial(
        _nb201,
        "cifar10",
        images=10_000,
        within=False,
        note="a run on half of the training images beside the mean of three on all; what that "
        "changes counts as noise",
    ),
    ("nb201", "cifar100"): partial(
        _nb201, "cifar100", images=5_000, within=True, note=_ONE_OF_THREE
    ),
    ("nb201", "imagenet16_120"): partial(
        _nb201, "imagenet16_120", images=3_000, within=True, note=_ONE_OF_THREE
    ),
    ("nb201", "digits"): _digits,
}

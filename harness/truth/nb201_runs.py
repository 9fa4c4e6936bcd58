"""What NAS-Bench-201's two official distributions share: the runs of an architecture, as a table.

Both hold, for each architecture and number of epochs, a plain dictionary from which the class
``ArchResults`` of their packages restores every training run. Only the end of the runs of 200
epochs is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import pandas as pd

from harness.errors import DataError, HarnessError
from harness.spaces import nb201
from harness.truth import records
from harness.truth.sources import source

# What the benchmark calls the training runs and the images behind (task, split).
SETS = {
    ("cifar10", "test"): ("cifar10", "ori-test"),
    ("cifar10", "validation"): ("cifar10-valid", "x-valid"),
    ("cifar100", "test"): ("cifar100", "x-test"),
    ("cifar100", "validation"): ("cifar100", "x-valid"),
    ("imagenet16_120", "test"): ("ImageNet16-120", "x-test"),
    ("imagenet16_120", "validation"): ("ImageNet16-120", "x-valid"),
}
SPLITS = {
    ("cifar10", "test"): "10,000 test images, after training on all training images",
    ("cifar10", "validation"): "half of the training images, after training on the other half",
    ("cifar100", "test"): "half of the test images (x-test), after training on the training set",
    ("cifar100", "validation"): "the other half of the test images (x-valid), after training on "
    "the training set",
    ("imagenet16_120", "test"): "half of the test images (x-test), after training on the "
    "training set",
    ("imagenet16_120", "validation"): "the other half of the test images (x-valid), after "
    "training on the training set",
}

State = dict[str, Any]
"""One architecture's results as ``ArchResults.state_dict`` gives them."""


def results_class(package: str) -> Any:
    """Returns ``ArchResults`` of an optional package.

    Args:
        package: ``nats_bench`` or ``nas_201_api``.

    Raises:
        HarnessError: If the package is not installed.
    """
    try:
        return import_module(package).ArchResults
    except ImportError as error:
        raise HarnessError(
            f"The official files of NAS-Bench-201 are read with the package {package}, which "
            f"cannot be imported ({error}); run pip install 'zero-cost-harness[official]'."
        ) from error


def table(states: Iterable[State], package: str, place: str) -> pd.DataFrame:
    """Returns the accuracies at the end of all runs.

    Args:
        states: One per architecture, of the runs of 200 epochs.
        package: Whose ``ArchResults`` restores them.
        place: What to call the file in an error.

    Returns:
        One row per architecture, task and split: ``task``, ``split``, ``key``, ``value`` (mean
        over runs, percent), ``std`` (over runs, missing for one) and ``n_training_seeds``.

    Raises:
        DataError: If a state is not an architecture's results.
        HarnessError: If the package is not installed.
    """
    restore = results_class(package).create_from_state_dict
    try:
        rows = [row for state in states for row in _rows(restore(state))]
    except DataError:
        raise
    # A file of another form may raise nearly anything within the packages.
    except Exception as error:
        raise DataError(f"{place} does not hold results of NAS-Bench-201 ({error!r}).") from error
    if not rows:
        raise DataError(f"{place} holds no results of NAS-Bench-201.")
    return pd.DataFrame(rows)


def _rows(results: Any) -> Iterator[dict[str, object]]:
    key = nb201.to_key(nb201.parse(results.arch_str))
    for (task, split), (dataset, images) in SETS.items():
        runs = results.query(dataset).values()
        values = pd.Series([float(run.get_eval(images)["accuracy"]) for run in runs])
        yield {
            "task": task,
            "split": split,
            "key": key,
            "value": values.mean(),
            "std": values.std(ddof=1),
            "n_training_seeds": len(values),
        }


def described(
    variant: str, file: str, training_seeds: str, note: str
) -> Iterator[tuple[str, str, records.TruthInfo]]:
    """Yields task, split and what a distribution's accuracies of these mean.

    Args:
        variant: Name of the test accuracies; those of validation append ``_validation``.
        file: The distribution, as ``sources.toml`` names it.
        training_seeds: Which runs there are.
        note: What else a reader should know.
    """
    for (task, split), images in SPLITS.items():
        yield (
            task,
            split,
            records.TruthInfo(
                space="nb201",
                task=task,
                variant=variant if split == "test" else f"{variant}_validation",
                metric="top-1 accuracy, percent",
                split=images,
                epochs=200,
                training_seeds=training_seeds,
                aggregation="mean",
                n=15_625,
                sources=(file,),
                licence=source(file).licence,
                note=note,
            ),
        )


def of_task(every: pd.DataFrame, task: str, split: str) -> pd.DataFrame:
    """Returns the rows of one task and split, without these two columns."""
    chosen = (every["task"] == task) & (every["split"] == split)
    return every.loc[chosen].drop(columns=["task", "split"]).reset_index(drop=True)

"""How ``job=train_truth`` trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.config import parse_seeds
from harness.core.limits import ABOVE_ZERO, BETWEEN, MOST_IMAGES, NOT_NEGATIVE, check, count
from harness.core.sections import section


@section("train_truth")
@dataclass(frozen=True)
class TruthRecipe:
    """A plain training: SGD with Nesterov momentum, cosine learning rate, no augmentation.

    It takes any labelled image set (``inputs=NAME``; the task's own by default), the bundled digits
    or your own: an ``.npz`` of ``images`` and ``labels`` that a plug-in registers with its task.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images per step; an incomplete last batch is left out.
        learning_rate: At the start; it falls to zero along a cosine over all steps.
        momentum: Nesterov momentum.
        weight_decay: L2 penalty on all parameters.
        held_out: Share of the images that accuracies are measured on; only of a data set that has
            no test images of its own (an image set DATASET_test).
        seeds: Training runs per architecture: ``3``, ``0..2`` (inclusive) or ``[0,2]``.
    """

    epochs: int = 4
    batch_size: int = 40
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    held_out: float = 0.2
    seeds: Any = "0..2"

    def __post_init__(self) -> None:
        """Refuses a training that would train nothing.

        Raises:
            HarnessError: With what is allowed.
        """
        check(
            self,
            epochs=count(1, 10**6),
            batch_size=count(2, MOST_IMAGES),
            learning_rate=ABOVE_ZERO,
            momentum=BETWEEN,
            weight_decay=NOT_NEGATIVE,
            held_out=BETWEEN,
        )
        parse_seeds(self.seeds, "train_truth.seeds")

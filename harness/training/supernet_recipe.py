"""How a supernet is trained."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.limits import (
    ABOVE_ZERO,
    BELOW_ONE,
    MOST_IMAGES,
    NOT_NEGATIVE,
    check,
    count,
)
from harness.core.sections import section


@section("train_supernet")
@dataclass(frozen=True)
class SupernetRecipe:
    """How a supernet is trained; the defaults are DARTS-PT's, ``alpha_epochs`` is Zero-Cost-PT's.

    Attributes:
        images: Labelled images, half of them for the weights, half for α and for validation; null
            takes all. With ``inputs.augment`` they are cropped and flipped anew in every epoch.
        epochs: Passes over a half.
        alpha_epochs: After how many of these darts reads α; the end of a shorter training.
        batch_size: Images per step; the last of an epoch may hold fewer.
        learning_rate: Of the weights (SGD) at the start; it falls along a cosine, epoch by epoch.
        final_learning_rate: Where that cosine would end.
        momentum: Of SGD.
        weight_decay: Of the weights.
        clip: Largest norm of the weights' gradient.
        alpha_learning_rate: Of α (Adam).
        alpha_weight_decay: Of α.
        tune_epochs: Epochs that a supernet learns on once an edge is decided, for disc-acc.
        tune_learning_rate: Of the weights at the start of these.
    """

    images: int | None = None
    epochs: int = 100
    alpha_epochs: int = 60
    batch_size: int = 64
    learning_rate: float = 0.025
    final_learning_rate: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    alpha_learning_rate: float = 3e-4
    alpha_weight_decay: float = 1e-3
    tune_epochs: int = 5
    tune_learning_rate: float = 0.0025

    def __post_init__(self) -> None:
        """Refuses a training that would train nothing.

        Raises:
            HarnessError: With what is allowed.
        """
        check(
            self,
            images=count(4, 10**7),
            epochs=count(1, 10**6),
            alpha_epochs=count(1, 10**6),
            batch_size=count(2, MOST_IMAGES),
            learning_rate=ABOVE_ZERO,
            final_learning_rate=NOT_NEGATIVE,
            momentum=BELOW_ONE,
            weight_decay=NOT_NEGATIVE,
            clip=ABOVE_ZERO,
            alpha_learning_rate=ABOVE_ZERO,
            alpha_weight_decay=NOT_NEGATIVE,
            tune_epochs=count(0, 10**6),
            tune_learning_rate=ABOVE_ZERO,
        )

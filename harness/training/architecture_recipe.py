"""How ``job=train`` trains."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.limits import (
    ABOVE_ZERO,
    BELOW_ONE,
    BETWEEN,
    MOST_IMAGES,
    NOT_NEGATIVE,
    check,
    count,
)
from harness.core.sections import section


@section("train_architecture")
@dataclass(frozen=True)
class ArchitectureRecipe:
    """The training of one architecture from scratch; the defaults are DARTS's for CIFAR.

    Attributes:
        channels: Channels of a DARTS network's first cells.
        layers: Cells of a DARTS network.
        epochs: Passes over the training images.
        batch_size: Images per step; an incomplete last batch is left out.
        learning_rate: At the start; it falls to zero along a cosine, epoch by epoch.
        momentum: Momentum of SGD.
        weight_decay: L2 penalty on all parameters.
        clip: Largest norm of the gradient.
        augment: Whether images are cropped and flipped at random.
        cutout: Side of the square that is blackened in every image; 0 for none.
        drop_path: Probability, reached at the end, with which an operation's output is dropped;
            DARTS networks only.
        auxiliary: Weight of the auxiliary head's loss; 0 builds none. It needs a DARTS network on
            32×32 images.
        mixed_precision: Whether forwards run in half precision (bfloat16 on the CPU).
        held_out: Share of the images that accuracies are measured on; only of a data set that has
            no test images of its own (an image set DATASET_test).
    """

    channels: int = 36
    layers: int = 20
    epochs: int = 600
    batch_size: int = 96
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    augment: bool = True
    cutout: int = 16
    drop_path: float = 0.2
    auxiliary: float = 0.4
    mixed_precision: bool = False
    held_out: float = 0.2

    def __post_init__(self) -> None:
        """Refuses a training that would train nothing.

        Raises:
            HarnessError: With what is allowed.
        """
        check(
            self,
            channels=count(1, 4096),
            layers=count(1, 1000),
            epochs=count(1, 10**6),
            batch_size=count(2, MOST_IMAGES),
            learning_rate=ABOVE_ZERO,
            momentum=BELOW_ONE,
            weight_decay=NOT_NEGATIVE,
            clip=ABOVE_ZERO,
            cutout=count(0, 4096),
            drop_path=BELOW_ONE,
            auxiliary=NOT_NEGATIVE,
            held_out=BETWEEN,
        )

"""How ``job=train`` trains."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.core.limits import (
    ABOVE_ZERO,
    BELOW_ONE,
    BETWEEN,
    MOST_IMAGES,
    NOT_NEGATIVE,
    Rule,
    check,
    count,
)
from harness.core.sections import section
from harness.executors.executor import on_gpu

DECAY: Rule = (lambda x: 0 < x <= 1, "above 0 and at most 1")


@section("train_architecture")
@dataclass(frozen=True)
class ArchitectureRecipe:
    """The training of one architecture from scratch; the defaults are DARTS's for CIFAR.

    Attributes:
        channels: Channels of a DARTS network's first cells.
        layers: Cells of a DARTS network.
        epochs: Passes over the training images.
        batch_size: Images per step; the last of an epoch may hold fewer.
        learning_rate: At the start; it falls epoch by epoch.
        learning_rate_decay: By which factor per epoch; null: along a cosine that ends at zero.
        momentum: Momentum of SGD.
        weight_decay: L2 penalty on all parameters.
        clip: Largest norm of the gradient.
        label_smoothing: Share of a label that is spread over all classes.
        augment: Whether images are cropped and flipped at random; ImageNet's also change colour.
        cutout: Side of the square that is blackened in every image; 0 for none.
        drop_path: Probability, reached at the end, with which an operation's output is dropped;
            DARTS networks only.
        auxiliary: Weight of the auxiliary head's loss; 0 builds none. It needs a DARTS network on
            32×32 images or on ImageNet's.
        mixed_precision: Whether forwards compute in bfloat16, with weights in float32; null: on a
            GPU they do. Those before Ampere have it in software only.
        compile: Whether torch compiles the network, which takes a minute and makes steps faster.
        held_out: Share of the images that accuracies are measured on; only of a data set that has
            no test images of its own (an image set DATASET_test).
    """

    channels: int = 36
    layers: int = 20
    epochs: int = 600
    batch_size: int = 96
    learning_rate: float = 0.025
    learning_rate_decay: float | None = None
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    label_smoothing: float = 0.0
    augment: bool = True
    cutout: int = 16
    drop_path: float = 0.2
    auxiliary: float = 0.4
    mixed_precision: bool | None = None
    compile: bool = False
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
            learning_rate_decay=DECAY,
            momentum=BELOW_ONE,
            label_smoothing=BELOW_ONE,
            weight_decay=NOT_NEGATIVE,
            clip=ABOVE_ZERO,
            cutout=count(0, 4096),
            drop_path=BELOW_ONE,
            auxiliary=NOT_NEGATIVE,
            held_out=BETWEEN,
        )

    def half_precision(self, device: str) -> bool:
        """Tells whether forwards compute in bfloat16 on a device."""
        return on_gpu(device) if self.mixed_precision is None else self.mixed_precision

    def rate(self, epoch: int) -> float:
        """Returns the learning rate of an epoch, counted from 0."""
        if self.learning_rate_decay is not None:
            return self.learning_rate * self.learning_rate_decay**epoch
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

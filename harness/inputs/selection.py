"""What a user can choose about the inputs, and what that means for one task."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import HarnessError, unknown
from harness.core.limits import check, count
from harness.core.sections import section
from harness.inputs.image_sets import ImageSet, choices, find, image_sets
from harness.inputs.tasks import Task
from harness.inputs.tokens import TOKENS

ORDERS = ("random", "first")
WORDS = ("task", "gaussian")


@section("inputs")
@dataclass(frozen=True)
class InputSettings:
    """Which images networks are scored on.

    Attributes:
        source: ``task`` (the task's own images; random tokens for a task of text), ``gaussian``
            (noise), or the name of an image set or of its data set.
        normalise: Subtract the data set's mean and divide by its deviation.
        augment: Crop and flip as in training; for tasks with one class label per image.
        order: ``random`` (drawn without replacement by the seed) or ``first`` (the first images
            of the set, the same for every seed).
        crop: Side of a random crop without padding, in pixels; null keeps the whole image.
        channels: How many of an image's colour channels to keep, drawn per image; null keeps all
            in their order. The space must have networks for that many.
        download: Whether an image set that is not at hand may be downloaded.
    """

    source: str = "task"
    normalise: bool = True
    augment: bool = False
    order: str = "random"
    crop: int | None = None
    channels: int | None = None
    download: bool = True

    def __post_init__(self) -> None:
        """Refuses an unknown order or source, augmented noise, and less than a pixel or channel.

        Raises:
            HarnessError: With the names that exist.
        """
        if self.order not in ORDERS:
            raise unknown("order of inputs", self.order, ORDERS)
        if self.source not in (*WORDS, *choices()):
            raise unknown("source of inputs", self.source, (*WORDS, *choices()))
        if self.source == "gaussian" and self.augment:
            raise HarnessError("Gaussian noise cannot be augmented; set inputs.augment=false.")
        check(self, crop=count(1, 4096), channels=count(1, 4096))


def image_set_of(task: Task, settings: InputSettings) -> ImageSet | None:
    """Returns the image set that the settings mean for ``task``; None for noise and random tokens.

    Raises:
        HarnessError: If the task has no image set of its own, or takes no images.
    """
    if task.tokens and settings.source != "task":
        raise HarnessError(
            f"The task {task.name} takes tokens and no images; leave inputs=task, which draws "
            "tokens at random."
        )
    if task.tokens or settings.source == "gaussian":
        return None
    if settings.source != "task":
        return find(settings.source)
    if not task.images:
        raise HarnessError(
            f"The task {task.name} has no image set of its own; take declared stand-ins such as "
            "inputs=photographs or inputs=gaussian."
        )
    return image_sets.get(task.images)


def source_in_records(task: Task, image_set: ImageSet | None) -> str:
    """Returns what records call the inputs: an image set, or what is drawn instead."""
    if image_set is not None:
        return image_set.name
    return TOKENS if task.tokens else "gaussian"


def is_stand_in(task: Task, image_set: ImageSet | None) -> bool:
    """Tells whether the images are of another data set than the task's own, or noise."""
    own = image_sets.get(task.images).dataset if task.images else None
    return image_set is None or image_set.dataset != own


def has_true_labels(task: Task, image_set: ImageSet | None) -> bool:
    """Tells whether the targets belong to the images, instead of being drawn.

    They do where the images are their own target, where shuffling them made the target, and where
    the set has labels, of as many classes as the task has outputs.
    """
    if task.target == "input":
        return True
    if image_set is None:
        return False
    permuted = task.target == "permutation"
    return permuted or (task.target == "class" and image_set.classes == task.outputs)

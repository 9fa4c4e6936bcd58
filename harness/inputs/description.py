"""What a batch really holds, in words and numbers; no image is shown to a network here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.errors import HarnessError
from harness.inputs.image_sets import Content, ImageSet, read_image_set
from harness.inputs.selection import (
    InputSettings,
    has_true_labels,
    image_set_of,
    is_stand_in,
    source_in_records,
)
from harness.inputs.tasks import UNCHANGED, Task
from harness.inputs.tokens import TOKENS, VOCABULARY

_DRAWN = {
    "gaussian": "independent standard normal noise",
    TOKENS: f"untrained embeddings of tokens drawn from a vocabulary of {VOCABULARY:,}; no text",
}


def describe_inputs(task: Task, settings: InputSettings, *, blank: bool = False) -> dict[str, Any]:
    """Tells what a batch really holds, for the provenance of a result.

    Args:
        task: What the networks are built for.
        settings: Which images, and what is done to them.
        blank: Whether no image is looked at; then none is read.

    Returns:
        ``source`` (an image set, ``gaussian`` or ``random_tokens``), ``origin`` (in words),
        ``stand_in`` (not the task's own data set), ``labels`` (``true``, also of puzzles and of
        images that are their own target, or ``random``), ``normalise``, ``augment``, ``order``,
        ``sha256`` (of the set; None for what is drawn and if no image is looked at) and, only where
        they are set, ``enlarged`` (the side that smaller images were brought to), ``crop`` and
        ``channels``.

    Raises:
        HarnessError: If the task has no image set of its own and none is named, or the images do
            not have the task's size.
        DataError: If the image set is missing or broken.
    """
    image_set = image_set_of(task, settings)
    if image_set is not None:
        check_size(task, image_set)
    source = source_in_records(task, image_set)
    # Absent unless set: the fingerprints of scores hold this description.
    small = image_set is not None and not image_set.fits(task.image_side)
    resized = {
        "enlarged": task.image_side if small else None,
        "crop": settings.crop,
        "channels": settings.channels,
    }
    return {
        "source": source,
        "origin": image_set.origin if image_set else _DRAWN[source],
        "stand_in": is_stand_in(task, image_set),
        "labels": "true" if has_true_labels(task, image_set) else "random",
        "normalise": settings.normalise and image_set is not None and task.rgb != UNCHANGED,
        "augment": settings.augment,
        "order": settings.order if image_set else "random",
        "sha256": _content(task, image_set, settings).sha256 if image_set and not blank else None,
        **{name: number for name, number in resized.items() if number is not None},
    }


def describe_amount(task: Task, settings: InputSettings) -> dict[str, Any]:
    """Tells how much of a data set a batch is drawn from; no part of a score's conditions.

    Returns:
        ``n`` images of the ``of`` that the whole set has (None where that means nothing) and its
        ``split`` (``training``, ``test`` or empty); nothing for noise and random tokens.

    Raises:
        HarnessError: If the task has no image set of its own and none is named.
        DataError: If the image set is missing or broken.
    """
    image_set = image_set_of(task, settings)
    if image_set is None:
        return {}
    n = len(_content(task, image_set, settings).images)
    return {"n": n, "of": image_set.total, "split": image_set.split}


def amount_in_words(n: int, of: int | None, split: str) -> str:
    """Says how much of a set there is: ``10,000 of 50,000 training images``."""
    images = f"{split} images".strip()
    if of is None or n > of:
        return f"{n:,} {images}"
    return f"all {n:,} {images}" if n == of else f"{n:,} of {of:,} {images}"


def inputs_in_words(inputs: Mapping[str, Any]) -> str:
    """Says which images a result rests on.

    For example ``Images: cifar10_train, 10,000 of 50,000 training images.``

    Args:
        inputs: What its record says of them; older records do not say how many.
    """
    source, stand_in = str(inputs["source"]), bool(inputs["stand_in"])
    if source == TOKENS:
        return "Inputs: random tokens, a stand-in for text."
    if source != "gaussian" and inputs.get("sha256", "unknown") is None:
        return "Images: none, no proxy looks at one."
    amount = [amount_in_words(*(inputs[k] for k in ("n", "of", "split")))] if "n" in inputs else []
    side = inputs.get("enlarged")
    enlarged = [f"enlarged to {side}×{side}"] if side else []
    return f"Images: {', '.join([source, *enlarged, *amount, *['a stand-in'] * stand_in])}."


def _content(task: Task, image_set: ImageSet, settings: InputSettings) -> Content:
    return read_image_set(image_set.name, task.image_side, download=settings.download)


def suits(task: Task, image_set: ImageSet) -> bool:
    """Tells whether a task takes the images of a set, as they are or enlarged."""
    if task.tokens:
        return False
    smaller = image_set.side is not None and image_set.side < task.image_side
    return image_set.fits(task.image_side) or (task.enlarges and smaller)


def check_size(task: Task, image_set: ImageSet) -> None:
    """Refuses images of another size than the task takes.

    Raises:
        HarnessError: With both sizes.
    """
    if suits(task, image_set):
        return
    needed = (3, task.image_side, task.image_side)
    raise HarnessError(
        f"The images of {image_set.name} are 3×{image_set.side}×{image_set.side}, but the task "
        f"{task.name} takes {'×'.join(map(str, needed))}; choose other inputs."
    )

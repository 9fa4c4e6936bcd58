"""What a batch really holds, in words and numbers; no image is shown to a network here."""

from __future__ import annotations

from typing import Any

from harness.core.errors import HarnessError
from harness.inputs.image_sets import ImageSet, read_image_set
from harness.inputs.selection import InputSettings, has_true_labels, image_set_of, is_stand_in
from harness.inputs.tasks import UNCHANGED, Task


def describe_inputs(task: Task, settings: InputSettings) -> dict[str, Any]:
    """Tells what a batch really holds, for the provenance of a result.

    Returns:
        ``source`` (an image set or ``gaussian``), ``origin`` (in words), ``stand_in`` (not the
        task's own data set), ``labels`` (``true``, also of puzzles and of images that are their own
        target, or ``random``), ``normalise``, ``augment``, ``order``, ``sha256`` (of the set; None
        for noise) and, only where they are set, ``crop`` and ``channels``.

    Raises:
        HarnessError: If the task has no image set of its own and none is named, or the images do
            not have the task's size.
        DataError: If the image set is missing or broken.
    """
    image_set = image_set_of(task, settings)
    if image_set is not None:
        check_size(task, image_set)
    # Absent unless set: the fingerprints of scores hold this description.
    reduced = {"crop": settings.crop, "channels": settings.channels}
    return {
        "source": image_set.name if image_set else "gaussian",
        "origin": image_set.origin if image_set else "independent standard normal noise",
        "stand_in": is_stand_in(task, image_set),
        "labels": "true" if has_true_labels(task, image_set) else "random",
        "normalise": settings.normalise and image_set is not None and task.rgb != UNCHANGED,
        "augment": settings.augment,
        "order": settings.order if image_set else "random",
        "sha256": read_image_set(image_set.name).sha256 if image_set else None,
        **{name: number for name, number in reduced.items() if number is not None},
    }


def check_size(task: Task, image_set: ImageSet) -> None:
    """Refuses images of another size than the task takes.

    Raises:
        HarnessError: With both sizes.
    """
    if task.image_side == image_set.side:
        return
    needed = (3, task.image_side, task.image_side)
    raise HarnessError(
        f"The images of {image_set.name} are 3×{image_set.side}×{image_set.side}, but the task "
        f"{task.name} takes {'×'.join(map(str, needed))}; choose other inputs."
    )

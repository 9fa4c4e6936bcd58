"""The tasks of the benchmarks: what goes into a network, what comes out, and the loss."""

from __future__ import annotations

from dataclasses import dataclass

from harness.registry import Registry


@dataclass(frozen=True)
class Task:
    """One data set and what is to be predicted on it.

    Attributes:
        name: The task's name on the command line.
        input_shape: Shape of one input without the batch axis, usually (channels, height, width).
        outputs: Number of classes, regression outputs or output channels.
        loss: Name of the loss, a key of ``harness.passes.losses.LOSSES``.
        bank: Name of the image bank that holds this task's own images.
    """

    name: str
    input_shape: tuple[int, ...]
    outputs: int
    loss: str = "cross_entropy"
    bank: str = ""


tasks: Registry[Task] = Registry("task")


def _add(task: Task) -> None:
    tasks.add(task.name, task)


_add(Task("cifar10", (3, 32, 32), 10, bank="cifar10_train"))
_add(Task("cifar100", (3, 32, 32), 100, bank="cifar100_train"))
_add(Task("imagenet16_120", (3, 16, 16), 120, bank="imagenet16_120_train"))
# The bundled 8×8 handwritten digits, repeated to three channels.
_add(Task("digits", (3, 8, 8), 10, bank="digits_train"))

# TransNAS-Bench-101 on Taskonomy, with the class counts of NAS-Bench-Suite-Zero: the benchmark's
# own trainings keep only 47 of the scenes and 75 of the objects.
_IMAGE = (3, 256, 256)
_add(Task("class_scene", _IMAGE, 63, "soft_cross_entropy", bank="taskonomy_class_scene_train"))
_add(Task("class_object", _IMAGE, 100, "soft_cross_entropy", bank="taskonomy_class_object_train"))
_add(Task("room_layout", _IMAGE, 9, "mse", bank="taskonomy_room_layout_train"))
# Nine tiles of the image; the classes are a thousand ways of shuffling them.
_add(Task("jigsaw", (9, 3, 64, 64), 1000, bank="taskonomy_images_train"))
_add(Task("segmentsemantic", _IMAGE, 17, bank="taskonomy_segmentsemantic_train"))
_add(Task("normal", _IMAGE, 3, "l1", bank="taskonomy_normal_train"))
_add(Task("autoencoder", _IMAGE, 3, "l1", bank="taskonomy_images_train"))

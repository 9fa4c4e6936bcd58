"""The tasks of the benchmarks: what goes into a network, what comes out, and the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.core.registry import Registry

RGB = tuple[float, float, float]
UNCHANGED: tuple[RGB, RGB] = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""The mean and deviation that leave images as they are."""

Target = Literal["class", "soft_class", "values", "class_map", "normals", "input", "permutation"]
"""What a network is to predict; ``harness.inputs.targets`` says what each looks like."""


@dataclass(frozen=True)
class Task:
    """One data set and what is to be predicted on it.

    Attributes:
        name: The task's name on the command line.
        input_shape: Shape of one input without the batch axis, usually (channels, height, width).
        outputs: Number of classes, regression outputs or output channels.
        loss: Name of the loss, a key of ``harness.passes.losses.LOSSES``.
        images: Name of the image set that holds this task's own images.
        target: What is to be predicted.
        rgb: Mean and deviation per channel that the benchmark normalises this task's images with;
            None takes those of the images' own data set.
        enlarges: Whether smaller images are enlarged to the inputs' size, as the benchmark does.
        tokens: Whether inputs are texts as word embeddings, tokens × width: no image is one.
    """

    name: str
    input_shape: tuple[int, ...]
    outputs: int
    loss: str = "cross_entropy"
    images: str = ""
    target: Target = "class"
    rgb: tuple[RGB, RGB] | None = None
    enlarges: bool = False
    tokens: bool = False

    @property
    def image_side(self) -> int:
        """Height and width of the images that the inputs are made from."""
        return PUZZLE_SIDE if self.target == "permutation" else self.input_shape[-1]


# The jigsaw task cuts its nine tiles from images as large as those of its sister tasks.
PUZZLE_SIDE = 256

tasks: Registry[Task] = Registry("task")


def _add(task: Task) -> None:
    tasks.add(task.name, task)


_add(Task("cifar10", (3, 32, 32), 10, images="cifar10_train"))
_add(Task("cifar100", (3, 32, 32), 100, images="cifar100_train"))
_add(Task("svhn", (3, 32, 32), 10, images="svhn_train"))
_add(Task("imagenet16_120", (3, 16, 16), 120, images="imagenet16_120_train"))
# ImageNet's classes on the 32×32 images that a search scores its small networks with; no image set
# belongs to it. Networks that are trained on ImageNet take 224×224.
_add(Task("imagenet", (3, 32, 32), 1000))
# The bundled 8×8 handwritten digits, repeated to three channels.
_add(Task("digits", (3, 8, 8), 10, images="digits_train"))

# TransNAS-Bench-101 on Taskonomy, with the class counts of NAS-Bench-Suite-Zero: the benchmark's
# own trainings keep only 47 of the scenes and 75 of the objects.
_TASKONOMY_RGB: tuple[RGB, RGB] = ((0.5224, 0.5222, 0.5221), (0.2234, 0.2235, 0.2236))
# From -1 to 1, the range of what the decoders put out.
_TANH_RGB: tuple[RGB, RGB] = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _add_taskonomy(
    name: str, outputs: int, loss: str, target: Target, rgb: tuple[RGB, RGB] = _TANH_RGB
) -> None:
    _add(Task(name, (3, PUZZLE_SIDE, PUZZLE_SIDE), outputs, loss, "taskonomy", target, rgb))


_add_taskonomy("class_scene", 63, "soft_cross_entropy", "soft_class", _TASKONOMY_RGB)
_add_taskonomy("class_object", 100, "soft_cross_entropy", "soft_class", _TASKONOMY_RGB)
_add_taskonomy("room_layout", 9, "mse", "values", _TASKONOMY_RGB)
_add_taskonomy("segmentsemantic", 17, "cross_entropy", "class_map")
_add_taskonomy("normal", 3, "l1", "normals")
_add_taskonomy("autoencoder", 3, "l1", "input")
# Nine tiles of the image; the classes are a thousand ways of shuffling them.
_add(Task("jigsaw", (9, 3, 64, 64), 1000, "cross_entropy", "taskonomy", "permutation", UNCHANGED))

# ViT-Bench-101: whatever the data set, its transformers see 224×224 pixels. No image set belongs to
# the last three tasks.
_VIT = (3, 224, 224)
_add(Task("vit_cifar100", _VIT, 100, images="cifar100_train", enlarges=True))
_add(Task("flowers102", _VIT, 102))
_add(Task("chaoyang", _VIT, 4))
_add(Task("vit_imagenet", _VIT, 1000))

# NAS-Bench-BERT: texts of 128 tokens, as in its trainings, each an embedding of 128 numbers; two
# classes, as in six of GLUE's eight tasks.
_add(Task("glue", (128, 128), 2, tokens=True))

"""What networks are trained and tested on: the images of one set, and others of its data set."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.inputs.description import amount_in_words, check_size
from harness.inputs.image_sets import Content, ImageSet, image_sets, read_image_set
from harness.inputs.selection import InputSettings, has_true_labels, image_set_of
from harness.inputs.tasks import RGB, Task
from harness.training.augmentation import cut_out, draw_views, seen


@dataclass(frozen=True)
class LabelledImages:
    """Normalised images (N×C×H×W float32) and class indices (N int64)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Pixels:
    """Images as bytes (uint8 N×S×S×3), classes (int64 N), and how the images are normalised."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    mean: RGB
    std: RGB

    def on(self, device: torch.device | str) -> ImagesOnDevice:
        """Returns all of them on a device; CIFAR-10's training images are 154 MB there."""
        images, labels = (torch.tensor(one, device=device) for one in (self.images, self.labels))
        mean, std = (torch.tensor(rgb, device=device) for rgb in (self.mean, self.std))
        return ImagesOnDevice(images, labels, mean, std)

    def whole(self, device: str) -> LabelledImages:
        """Returns all images as floats."""
        there = self.on(device)
        return LabelledImages(there.normalised(there.images).contiguous(), there.labels)


@dataclass(frozen=True)
class ImagesOnDevice:
    """Images as bytes that lie on a device as a whole, so that nothing has to be fetched.

    Attributes:
        images: uint8 N×S×S×3.
        labels: int64 N.
        mean: Per channel, of pixels from 0 to 1.
        std: Likewise.
    """

    images: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def normalised(self, images: Tensor) -> Tensor:
        """Returns floats, N×3×S×S, for bytes of this data set, N×S×S×3."""
        floats = images.permute(0, 3, 1, 2).float() / 255
        normalised = (floats - self.mean.view(3, 1, 1)) / self.std.view(3, 1, 1)
        return normalised.contiguous(memory_format=torch.channels_last)

    def augmented(
        self, random: np.random.Generator, batch_size: int, *, crop: bool, hole: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields an epoch's batches, images N×3×S×S and labels N; the last may be smaller.

        Args:
            random: Draws their order and how they are augmented.
            batch_size: Images per batch.
            crop: Whether to crop and flip.
            hole: Side of the square that is cut out; 0 for none.
        """
        drawn = draw_views(len(self), self.images.shape[1], random, self.images.device, crop=crop)
        for views in drawn.split(batch_size):
            images = self.normalised(seen(self.images, views))
            yield cut_out(images, views.centre, hole), self.labels[views.order]

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields all images and their labels as they are, in order, batch by batch."""
        parts = (torch.split(one, batch_size) for one in (self.images, self.labels))
        for images, labels in zip(*parts, strict=True):
            yield self.normalised(images), labels


@dataclass(frozen=True)
class Parts:
    """Training and test images.

    Attributes:
        training: What networks learn from.
        test: What their accuracy is measured on.
        described: What a record says of both.
        partial: In words, what of them is only a part of its data set.
    """

    training: Pixels
    test: Pixels
    described: dict[str, dict[str, Any]]
    partial: tuple[str, ...] = ()


def training_and_test(task: Task, inputs: InputSettings, held_out: float, batch_size: int) -> Parts:
    """Returns what networks of a task learn from, and what their accuracy is measured on.

    The latter is the image set ``DATASET_test`` where there is one, and otherwise a share of the
    images, always the same ones.

    Args:
        task: What the networks are built for.
        inputs: Which image set; nothing else can be chosen about a training's images.
        held_out: That share.
        batch_size: Images per step.

    Raises:
        HarnessError: If the images have no labels that the task means, or are fewer than a batch.
        DataError: If an image set is missing or broken.
    """
    image_set = labelled_set(task, inputs)
    content = read_image_set(image_set.name, download=inputs.download)
    rgb = task.rgb or (image_set.mean, image_set.std)
    test_name = f"{image_set.dataset}_test"
    if test_name in image_sets and test_name != image_set.name:
        check_size(task, image_sets.get(test_name))
        test = read_image_set(test_name, download=inputs.download)
        parts = Parts(
            pixels_of(content, slice(None), rgb),
            pixels_of(test, slice(None), rgb),
            {
                "training": _described(image_set.name, content, len(content.images)),
                "test": _described(test_name, test, len(test.images)),
            },
            tuple(_partial((image_set, content), (image_sets.get(test_name), test))),
        )
    else:
        parts = _held_out(image_set, content, rgb, held_out)
    available = len(parts.training.images)
    if batch_size > available:
        raise HarnessError(
            f"A batch of {batch_size} images is more than the {available} of {image_set.name} to "
            f"train on; batch_size can be at most {available}."
        )
    return parts


def labelled_set(
    task: Task, inputs: InputSettings, choices: Collection[str] = ("source", "download")
) -> ImageSet:
    """Returns the image set that a task's networks can learn from.

    Args:
        task: What the networks are built for.
        inputs: Which image set.
        choices: What else of the inputs has a meaning.

    Raises:
        HarnessError: If the images have no labels that the task means, or something is chosen that
            has none.
    """
    plain = InputSettings()
    for name, value in asdict(inputs).items():
        if name not in choices and value != getattr(plain, name):
            raise HarnessError(
                f"inputs.{name}={value} is not possible here: a training takes whole, normalised "
                "images, and its recipe says how they are augmented."
            )
    image_set = image_set_of(task, inputs)
    if image_set is None or task.target != "class":
        raise HarnessError(
            f"A training needs images that each have one class; the task {task.name} with "
            f"inputs={inputs.source} has none."
        )
    check_size(task, image_set)
    if not image_set.fits(task.image_side):
        raise HarnessError(
            f"The task {task.name} enlarges the images of {image_set.name}, and a training here "
            "takes images as they are; choose another task."
        )
    if not has_true_labels(task, image_set):
        classes = "no labels" if image_set.classes is None else f"{image_set.classes} classes"
        raise HarnessError(
            f"The images of {image_set.name} have {classes}, but the task {task.name} has "
            f"{task.outputs} classes; choose inputs that are labelled for it."
        )
    return image_set


def _held_out(image_set: ImageSet, content: Content, rgb: tuple[RGB, RGB], share: float) -> Parts:
    n = len(content.images)
    drawn = seeds.numpy_stream("held out", image_set.name).permutation(n)
    test, training = np.split(drawn, [max(1, round(share * n))])
    name = image_set.name
    return Parts(
        pixels_of(content, np.sort(training), rgb),
        pixels_of(content, np.sort(test), rgb),
        {
            "training": _described(name, content, len(training)),
            "test": _described(f"{share:g} of {name}, held out", content, len(test)),
        },
        tuple(_partial((image_set, content))),
    )


def _partial(*read: tuple[ImageSet, Content]) -> Iterator[str]:
    for image_set, content in read:
        n, of = len(content.images), image_set.total
        if of is not None and n < of:
            yield f"{amount_in_words(n, of, image_set.split)} of {image_set.dataset}"


def pixels_of(content: Content, chosen: Any, rgb: tuple[RGB, RGB]) -> Pixels:
    """Returns some images of a set, which has labels."""
    assert content.labels is not None
    return Pixels(content.images[chosen], content.labels[chosen].astype(np.int64), *rgb)


def _described(name: str, content: Content, n: int) -> dict[str, Any]:
    return {"images": name, "n": n, "sha256": content.sha256}

"""What networks are trained and tested on: the images of one set, and others of its data set."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.core import seeds
from harness.core.errors import HarnessError
from harness.inputs.description import check_size
from harness.inputs.image_sets import Content, ImageSet, image_sets, read_image_set
from harness.inputs.selection import InputSettings, has_true_labels, image_set_of
from harness.inputs.tasks import RGB, Task


@dataclass(frozen=True)
class LabelledImages:
    """Normalised images (N×C×H×W float32) and class indices (N int64)."""

    images: Tensor
    labels: Tensor

    def to(self, device: str) -> LabelledImages:
        """Returns the same images on another device."""
        return LabelledImages(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Pixels:
    """Images as bytes (uint8 N×H×W×3), classes (int64 N), and how the images are normalised."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    mean: RGB
    std: RGB

    def tensor(self, images: NDArray[np.uint8], device: torch.device) -> Tensor:
        """Returns normalised floats, N×3×H×W, for bytes of this data set."""
        floats = torch.tensor(images, device=device).permute(0, 3, 1, 2).float() / 255
        mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (self.mean, self.std))
        return ((floats - mean) / std).contiguous(memory_format=torch.channels_last)

    def whole(self, device: str) -> LabelledImages:
        """Returns all images as floats."""
        place = torch.device(device)
        labels = torch.from_numpy(self.labels).to(place)
        return LabelledImages(self.tensor(self.images, place).contiguous(), labels)


@dataclass(frozen=True)
class Parts:
    """Training and test images, and what a record says of both."""

    training: Pixels
    test: Pixels
    described: dict[str, dict[str, Any]]


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
    image_set = _labelled_set(task, inputs)
    content = read_image_set(image_set.name, download=inputs.download)
    rgb = task.rgb or (image_set.mean, image_set.std)
    test_name = f"{image_set.dataset}_test"
    if test_name in image_sets and test_name != image_set.name:
        check_size(task, image_sets.get(test_name))
        test = read_image_set(test_name, download=inputs.download)
        parts = Parts(
            _pixels(content, slice(None), rgb),
            _pixels(test, slice(None), rgb),
            {
                "training": _described(image_set.name, content, len(content.images)),
                "test": _described(test_name, test, len(test.images)),
            },
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


def _labelled_set(task: Task, inputs: InputSettings) -> ImageSet:
    plain = InputSettings()
    for name, value in asdict(inputs).items():
        if name not in ("source", "download") and value != getattr(plain, name):
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
        _pixels(content, np.sort(training), rgb),
        _pixels(content, np.sort(test), rgb),
        {
            "training": _described(name, content, len(training)),
            "test": _described(f"{share:g} of {name}, held out", content, len(test)),
        },
    )


def _pixels(content: Content, chosen: Any, rgb: tuple[RGB, RGB]) -> Pixels:
    assert content.labels is not None
    return Pixels(content.images[chosen], content.labels[chosen].astype(np.int64), *rgb)


def _described(name: str, content: Content, n: int) -> dict[str, Any]:
    return {"images": name, "n": n, "sha256": content.sha256}

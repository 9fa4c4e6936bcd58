"""The images of ``job=train``: image sets that lie in memory, or ImageNet's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from harness.core.errors import DataError, HarnessError
from harness.inputs.description import amount_in_words
from harness.inputs.image_sets import image_sets
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.scoring.conditions import inputs_of
from harness.sources.places import data_folder
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.architecture_training import ShownImages
from harness.training.image_files import ImageFiles, class_folders
from harness.training.labelled_images import training_and_test

IMAGENET = "imagenet"
CLASSES = 1000
WHOLE = {"train": 1_281_167, "val": 50_000}


class StoredImages(Protocol):
    """Images that can be shown on a device."""

    def on(self, device: torch.device | str) -> ShownImages:
        """Returns them there."""


@dataclass(frozen=True)
class TrainingImages:
    """What networks are trained and tested on.

    Attributes:
        training: What they learn from.
        test: What their accuracy is measured on.
        described: What the conditions say of both.
        partial: In words, what of them is only a part of its data set.
        inputs: What the record says of them.
    """

    training: StoredImages
    test: StoredImages
    described: dict[str, dict[str, Any]]
    partial: tuple[str, ...]
    inputs: Mapping[str, Any]


def training_images(task: str, inputs: InputSettings, recipe: ArchitectureRecipe) -> TrainingImages:
    """Returns the images that networks of a task are trained and tested on.

    Raises:
        HarnessError: If the images have no labels that the task means, or are fewer than a batch.
        DataError: If they are missing or broken.
    """
    if task == IMAGENET:
        return _imagenet(inputs)
    parts = training_and_test(tasks.get(task), inputs, recipe.held_out, recipe.batch_size)
    return TrainingImages(
        parts.training, parts.test, parts.described, parts.partial, inputs_of(task, inputs)
    )


def _imagenet(inputs: InputSettings) -> TrainingImages:
    """Returns ImageNet's files, which a person has to place."""
    if inputs != InputSettings():
        raise HarnessError(
            "A training on ImageNet takes its own files and its recipe says how they are "
            "augmented; leave inputs as it is."
        )
    root, sample = data_folder() / IMAGENET, image_sets.get("imagenet_sample_256")
    try:
        files = {part: class_folders(root / part, sample.mean, sample.std) for part in WHOLE}
    except DataError as error:
        raise DataError(
            f"{error} Place ImageNet's images (https://image-net.org/download-images) as "
            f"{root / 'train'}/<class>/*.JPEG and {root / 'val'}/<class>/*.JPEG, those for "
            "validation too in folders by class."
        ) from error
    for part, found in files.items():
        classes = int(found.labels.max()) + 1
        if classes != CLASSES:
            raise DataError(f"{root / part} holds {classes} folders with images, not {CLASSES}.")
    described = {
        name: {"images": f"{IMAGENET}/{part}", "n": len(files[part]), "sha256_of_names": names}
        for name, part in (("training", "train"), ("test", "val"))
        for names in [files[part].names_sha256]
    }
    origin = {"source": IMAGENET, "origin": "ImageNet, ILSVRC 2012", "stand_in": False}
    amount = {"n": len(files["train"]), "of": WHOLE["train"], "split": "training"}
    return TrainingImages(
        files["train"], files["val"], described, tuple(_partial(files)), origin | amount
    )


def _partial(files: Mapping[str, ImageFiles]) -> Iterator[str]:
    for part, found in files.items():
        if len(found) < WHOLE[part]:
            split = {"train": "training", "val": "validation"}[part]
            yield f"{amount_in_words(len(found), WHOLE[part], split)} of {IMAGENET}"

"""ImageNet's recipe: files, crops and the network, on a few small images in the real layout."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from commands import call
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import DataError, HarnessError
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.spaces import darts_space
from harness.spaces.darts_skeleton import Skeleton, count_params
from harness.spaces.nb301 import parse
from harness.spaces.networks.darts_network import DartsNetwork
from harness.spaces.space import spaces
from harness.training import image_files, training_images
from harness.training.architecture_recipe import ArchitectureRecipe
from harness.training.image_files import ImageFiles, class_folders, crop_box, read_image

KEY = spaces.get("darts").sample(1, seed=0)[0]
RGB = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def write_images(root: Path, classes: int, each: int) -> None:
    """Writes images of one colour per class, of several sizes, as JPEG files."""
    for label in range(classes):
        folder = root / f"n{label:08d}"
        folder.mkdir(parents=True)
        for number in range(each):
            image = Image.new("RGB", (240 + 20 * number, 300), (40 * label, 100, 20))
            image.save(folder / f"{number}.JPEG", quality=95)


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    write_images(tmp_path / "train", classes=3, each=4)
    return class_folders(tmp_path / "train", *RGB)


def test_folders_are_classes(files: ImageFiles) -> None:
    assert files.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert files.paths[0] == "n00000000/0.JPEG"
    for images, labels in files.plain(5):
        assert images.shape == (len(labels), 3, 224, 224)
        red = ((images * 0.25 + 0.5) * 255).mean((2, 3))[:, 0]
        np.testing.assert_allclose(red, 40 * labels, atol=2)  # of a JPEG


def test_an_epoch_shows_every_image_once_and_differs_from_the_next(files: ImageFiles) -> None:
    epochs = []
    for seed in (0, 0, 1):
        random = np.random.default_rng(seed)
        batches = list(files.augmented(random, 5, crop=True, hole=0))
        assert [len(labels) for _, labels in batches] == [5, 5, 2]
        assert (
            sorted(torch.cat([labels for _, labels in batches]).tolist()) == files.labels.tolist()
        )
        epochs.append(torch.cat([images for images, _ in batches]))
    assert torch.equal(epochs[0], epochs[1])
    assert not torch.equal(epochs[0], epochs[2])
    assert epochs[0].is_contiguous(memory_format=torch.channels_last)


def test_a_last_single_image_is_left_out(files: ImageFiles) -> None:
    batches = files.augmented(np.random.default_rng(0), 11, crop=False, hole=8)
    assert [len(labels) for _, labels in batches] == [11]


NUMBERS = st.lists(st.floats(0, 1, exclude_max=True), min_size=40, max_size=40)


@given(st.integers(20, 600), st.integers(20, 600), NUMBERS)
def test_a_crop_has_the_drawn_area_and_shape(width: int, height: int, drawn: list[float]) -> None:
    """The first try decides if it fits; where none does, the box is as large as it can be."""
    tries = np.array(drawn).reshape(10, 4)
    left, top, right, bottom = crop_box(width, height, tries)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    w, h = right - left, bottom - top
    areas = (0.08 + 0.92 * tries[:, 0]) * width * height
    ratios = 3 / 4 * (16 / 9) ** tries[:, 1]
    wide, high = np.sqrt(areas * ratios), np.sqrt(areas / ratios)
    if wide[0] <= width - 1 and high[0] <= height - 1:
        assert (w, h) == pytest.approx((wide[0], high[0]), abs=0.51)
        assert left == int(tries[0, 2] * (width - w + 1))
    elif np.all((wide > width + 1) | (high > height + 1)):
        assert (w + 1) / h >= 3 / 4
        assert (w - 1) / h <= 4 / 3
        assert w == width or h == height
        assert abs(left - (width - right)) <= 1


def test_a_test_image_is_the_middle_of_the_resized_one(tmp_path: Path) -> None:
    pixels = np.zeros((256, 512, 3), np.uint8)
    pixels[:, 256:] = 255  # the right half is white, so the edge is in the middle
    Image.fromarray(pixels).save(tmp_path / "a.png")
    seen = read_image(tmp_path / "a.png", None)
    assert seen.shape == (224, 224, 3)
    np.testing.assert_array_equal(seen[:, :112], 0)
    np.testing.assert_array_equal(seen[:, 112:], 255)


def test_a_broken_image_is_named(files: ImageFiles) -> None:
    path = files.root / files.paths[7]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"n00000001/3\.JPEG is not a readable image"):
        list(files.augmented(np.random.default_rng(0), 4, crop=True, hole=0))


def test_reading_stops_with_the_training(files: ImageFiles, monkeypatch) -> None:
    read = []

    def watched(path: Path, drawn: object) -> np.ndarray:
        read.append(path)
        return np.zeros((224, 224, 3), np.uint8)

    monkeypatch.setattr(image_files, "read_image", watched)
    monkeypatch.setattr(image_files, "AHEAD", 2)
    batches: Iterator = files.augmented(np.random.default_rng(0), 2, crop=False, hole=0)
    next(batches)
    batches.close()
    assert len(read) <= 6  # two batches ahead of the one that was shown


def test_the_network_and_its_auxiliary_head() -> None:
    genotype = parse(KEY)
    skeleton = Skeleton(48, 14, stem="imagenet", auxiliary=True)
    with torch.device("meta"):
        network = DartsNetwork(genotype, skeleton, 1000)
        logits, auxiliary = network.forward_with_auxiliary(torch.empty(2, 3, 224, 224))
    assert logits.shape == auxiliary.shape == (2, 1000)
    counted = sum(parameter.numel() for parameter in network.parameters())
    assert counted == count_params(genotype, skeleton, 1000)
    plain = count_params(genotype, darts_space.IMAGENET, 1000)
    head = sum(parameter.numel() for parameter in network.auxiliary.parameters())
    assert counted - plain == head


def test_all_of_it_on_a_few_images(tmp_path: Path, monkeypatch, capsys) -> None:
    """Two classes stand for the thousand; everything else is the preset."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(training_images, "CLASSES", 2)
    small = ["channels=16", "layers=3", "epochs=2", "batch_size=4"]
    asked = ["job=train", "experiment=train_imagenet", "space=darts", "executor=local"]
    asked += [f'architecture="{KEY}"', *(f"train_architecture.{one}" for one in small)]
    assert call(tmp_path, *asked) == 1
    assert "/train/<class>/*.JPEG" in " ".join(capsys.readouterr().err.split())
    write_images(tmp_path / "data/imagenet/train", classes=2, each=4)
    write_images(tmp_path / "data/imagenet/val", classes=2, each=2)
    assert call(tmp_path, *asked) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "Only 8 of 1,281,167 training images of imagenet and 4 of 50,000 validation" in told
    assert call(tmp_path, *asked, "incomplete=true") == 0
    (path,) = tmp_path.glob("results/train/darts/imagenet/*/run.json")
    made = json.loads(path.read_text())
    assert made["conditions"]["train_architecture"]["label_smoothing"] == 0.1
    assert made["inputs"] == {
        **{"source": "imagenet", "origin": "ImageNet, ILSVRC 2012", "stand_in": False},
        **{"n": 8, "of": 1_281_167, "split": "training"},
    }
    log = pd.read_csv(path.with_name("log.csv"))
    assert log.learning_rate.tolist() == pytest.approx([0.1, 0.097])
    assert log.test_top5.between(log.test_accuracy, 100).all()


def test_other_images_are_not_imagenet(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    with pytest.raises(HarnessError, match="takes its own files"):
        training_images.training_images("imagenet", InputSettings("digits"), ArchitectureRecipe())
    for part in ("train", "val"):
        write_images(tmp_path / "imagenet" / part, classes=1, each=1)
    with pytest.raises(DataError, match="holds 1 folders with images, not 1000"):
        training_images.training_images("imagenet", InputSettings(), ArchitectureRecipe())
    assert tasks.get("imagenet").outputs == training_images.CLASSES

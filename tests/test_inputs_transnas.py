"""Inputs of TransNAS-Bench-101's seven tasks: the right form, and honest about what is made up."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.core.types import Batch
from harness.inputs import image_folder
from harness.inputs.batch import load_batch
from harness.inputs.description import describe_inputs
from harness.inputs.image_sets import image_sets, read_image_set
from harness.inputs.jigsaw import permutations, puzzles
from harness.inputs.making import make_image_set
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.passes.losses import task_loss
from harness.spaces.space import spaces
from harness.spaces.tnb101 import TASKS

TASKONOMY = image_sets.get("taskonomy")
SAMPLE, NOISE = InputSettings("imagenet_sample_256"), InputSettings("gaussian")
PHOTOGRAPHS = InputSettings("photographs")
# What a random target looks like: shape after the batch axis and type.
TARGETS = {
    "class_scene": ((63,), torch.float32),
    "class_object": ((100,), torch.float32),
    "room_layout": ((9,), torch.float32),
    "jigsaw": ((), torch.int64),
    "segmentsemantic": ((256, 256), torch.int64),
    "normal": ((3, 256, 256), torch.float32),
    "autoencoder": ((3, 256, 256), torch.float32),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, without a mirror."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    (tmp_path / "images").mkdir()
    return tmp_path


@pytest.fixture
def sample(folder: Path) -> np.ndarray:
    """Eight random images in place of the ImageNet sample."""
    random = np.random.default_rng(0)
    pixels = random.integers(256, size=(8, 256, 256, 3), dtype=np.uint8)
    path = folder / "images" / "imagenet_sample_256.npz"
    np.savez(path, images=pixels, labels=np.arange(8))
    return pixels


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", [SAMPLE, NOISE, PHOTOGRAPHS])
def test_batches_have_the_tasks_form(
    sample: np.ndarray, task: str, settings: InputSettings
) -> None:
    spec = tasks.get(task)
    batch = load_batch(spec, settings, 0, 2)
    shape, dtype = TARGETS[task]
    for part in (batch, batch.second):
        assert part is not None and part.labels is not None
        assert part.images.shape == (2, *spec.input_shape)
        assert part.images.dtype == torch.float32
        assert part.labels.shape == (2, *shape)
        assert part.labels.dtype == dtype
        assert part.loss == spec.loss
    again, other = (load_batch(spec, settings, seed, 2) for seed in (0, 1))
    assert torch.equal(batch.images, again.images)
    assert torch.equal(batch.labels, again.labels)
    assert not torch.equal(batch.images, other.images)
    assert not torch.equal(batch.labels, other.labels)


@pytest.mark.parametrize("task", TASKS)
def test_networks_take_them_and_have_a_loss(sample: np.ndarray, task: str) -> None:
    batch = load_batch(tasks.get(task), SAMPLE, 0, 2)
    images, labels = (x[..., ::4, ::4] if x.dim() > 2 else x for x in (batch.images, batch.labels))
    network = spaces.get("tnb101_micro").build("64-41414-0_00_100", task)
    with torch.no_grad():
        assert torch.isfinite(task_loss(network(images), Batch(images, labels, batch.loss)))


def test_random_targets_are_drawn_from_what_the_docstring_says(sample: np.ndarray) -> None:
    def labels(task: str, size: int) -> torch.Tensor:
        drawn = load_batch(tasks.get(task), NOISE, 0, size).labels
        assert drawn is not None
        return drawn

    scenes = labels("class_scene", 4)
    assert scenes.sum(dim=1).tolist() == [1] * 4
    assert sorted(set(scenes.flatten().tolist())) == [0, 1]
    layout = labels("room_layout", 4)
    assert abs(float(layout.mean())) < 0.5 and 0.6 < float(layout.std()) < 1.4
    counts = torch.bincount(labels("segmentsemantic", 2).flatten(), minlength=17)
    assert len(counts) == 17
    assert counts.min() > 0.95 * counts.max()
    normals = labels("normal", 2)
    np.testing.assert_allclose(normals.norm(dim=1), 1, atol=1e-5)
    np.testing.assert_allclose(normals.mean((0, 2, 3)), 0, atol=0.01)
    np.testing.assert_allclose((normals**2).mean((0, 2, 3)), 1 / 3, atol=0.01)  # no preferred axis


def test_normalisation_is_the_tasks_own(sample: np.ndarray) -> None:
    """Not that of the stand-in images: the benchmark's network expects one range."""
    for task, mean, std in (
        ("class_scene", (0.5224, 0.5222, 0.5221), (0.2234, 0.2235, 0.2236)),
        ("room_layout", (0.5224, 0.5222, 0.5221), (0.2234, 0.2235, 0.2236)),
        ("normal", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        ("segmentsemantic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ):
        first = InputSettings("imagenet_sample_256", order="first")
        images = load_batch(tasks.get(task), first, 0, 3).images
        expected = (sample[:3] / 255 - np.array(mean)) / np.array(std)
        np.testing.assert_allclose(images.permute(0, 2, 3, 1), expected, atol=1e-5)


def test_an_autoencoder_is_to_return_its_input(sample: np.ndarray) -> None:
    task = tasks.get("autoencoder")
    batch = load_batch(task, SAMPLE, 0, 4)
    assert batch.labels is not None
    assert torch.equal(batch.images, batch.labels)
    assert -1 <= batch.labels.min() < -0.99 and 0.99 < batch.labels.max() <= 1  # tanh's range
    raw = load_batch(task, InputSettings("imagenet_sample_256", normalise=False), 0, 4)
    assert raw.images.min() >= 0
    assert torch.equal(raw.labels, batch.labels)
    noise = load_batch(task, NOISE, 0, 4)
    assert torch.equal(noise.images, noise.labels)


def test_permutations_are_far_apart_and_always_the_same() -> None:
    drawn = permutations()
    assert drawn.shape == (1000, 9)
    assert (np.sort(drawn, axis=1) == np.arange(9)).all()
    different = (drawn[:, None] != drawn).sum(axis=2)
    assert different[~np.eye(1000, dtype=bool)].min() >= 5
    # A class is a place in this very list.
    assert drawn[[0, 999]].tolist() == [[3, 8, 1, 0, 4, 5, 6, 2, 7], [7, 5, 4, 0, 6, 1, 2, 3, 8]]
    assert hashlib.sha256(drawn.tobytes()).hexdigest().startswith("5aa767cfe45716ac")


def test_the_number_of_threads_changes_no_puzzle(sample: np.ndarray) -> None:
    before = torch.get_num_threads()
    batches = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        batches.append(load_batch(tasks.get("jigsaw"), SAMPLE, 0, 4).images)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert torch.equal(batches[0], batches[1])
    assert torch.equal(batches[0], batches[2])


def test_tiles_show_the_pieces_that_the_label_names() -> None:
    # Each third of the image has its own colour; nothing else is in it.
    colours = torch.arange(9.0).view(3, 3)
    image = torch.nn.functional.interpolate(colours.view(1, 1, 3, 3), (256, 256), mode="nearest")
    tiles, labels = puzzles(image.expand(20, 3, 256, 256), np.random.default_rng(0))
    assert tiles.shape == (20, 9, 3, 64, 64)
    assert len(set(labels)) > 15
    # Away from the borders between the pieces, which enlarging moves and blurs.
    shown = tiles[..., 30:34, 30:34]
    expected = np.broadcast_to(permutations()[labels][:, :, None, None, None], shown.shape)
    np.testing.assert_allclose(shown, expected, atol=1e-5)


def test_tiles_are_cut_at_all_places_within_their_piece() -> None:
    ramp = torch.arange(256.0).expand(1, 1, 256, 256)  # a pixel's value is its column
    tiles, labels = puzzles(ramp.expand(200, 1, 256, 256), np.random.default_rng(0))
    lefts = tiles[:, :, 0, :, 0].mean(-1).numpy()
    columns = permutations()[labels] % 3
    for column in range(3):
        # The centre's 230 columns, from 13 on, became 255, in three pieces of 85 with 21 to spare.
        places = (lefts[columns == column] - 13 + 0.5) * 255 / 230 - 0.5 - 85 * column
        steps = np.unique(places.round(2))
        assert len(steps) == 22
        np.testing.assert_allclose(steps, np.arange(22), atol=0.1)


def test_a_puzzle_is_made_of_pieces_of_its_own_image(sample: np.ndarray) -> None:
    first = InputSettings("imagenet_sample_256", order="first")
    batch = load_batch(tasks.get("jigsaw"), first, 3, 4)
    expected, labels = puzzles(
        torch.from_numpy(sample).permute(0, 3, 1, 2).float() / 255,
        seeds.numpy_stream("jigsaw", "imagenet_sample_256", 3),
    )
    assert torch.equal(batch.images, expected[:4])
    assert batch.labels is not None
    assert batch.labels.tolist() == labels[:4].tolist()
    assert batch.images.min() >= 0 and batch.images.max() <= 1  # not normalised, as trained


def test_descriptions_say_what_is_made_up(sample: np.ndarray) -> None:
    for task in TASKS:
        said = describe_inputs(tasks.get(task), SAMPLE)
        assert said["stand_in"] is True
        assert "not Taskonomy" in str(said["origin"])
        assert said["labels"] == ("true" if task in ("jigsaw", "autoencoder") else "random")
        assert said["normalise"] is (task != "jigsaw")
        said = describe_inputs(tasks.get(task), NOISE)
        assert said["labels"] == ("true" if task == "autoencoder" else "random")


@pytest.mark.parametrize("task", TASKS)
def test_the_tasks_own_images_are_never_made_up(folder: Path, task: str) -> None:
    with pytest.raises(DataError) as caught:
        load_batch(tasks.get(task), InputSettings(), 0, 4)
    for part in (
        "images/taskonomy.npz",
        "https://github.com/StanfordVL/taskonomy",
        str(folder / "taskonomy" / "rgb"),
        "two batches have suffice, 128 by default",
        "python -m harness job=data fetch=taskonomy",
        "inputs=gaussian",
        "inputs=photographs",
    ):
        assert part in str(caught.value)
    assert "imagenet_sample_256" not in str(caught.value)  # it is not here either
    assert "\n" not in str(caught.value)


def test_wrong_images_and_augmentation_are_refused(folder: Path) -> None:
    for task in TASKS:
        with pytest.raises(HarnessError, match="takes 3×256×256"):
            load_batch(tasks.get(task), InputSettings("digits"), 0, 4)
        with pytest.raises(HarnessError, match="augment=false"):
            load_batch(tasks.get(task), InputSettings(augment=True), 0, 4)


def _no_fetch(name: str) -> Path:
    raise AssertionError(name)


def test_a_set_from_a_folder_of_photographs(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no images .*StanfordVL/taskonomy"):
        make_image_set(TASKONOMY, _no_fetch)
    rgb = folder / "taskonomy" / "rgb"
    for i, (name, size, mode) in enumerate(
        (("b/one.png", (256, 256), "RGB"), ("a/two.JPG", (512, 300), "RGB"), ("c.png", (8, 8), "L"))
    ):
        (rgb / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, 40 * i if mode == "L" else (40 * i, 100, 200)).save(rgb / name)
    (rgb / "notes.txt").write_text("no image")
    path = make_image_set(TASKONOMY, _no_fetch)
    assert path == folder / "images" / "taskonomy.npz"
    content = read_image_set("taskonomy")
    assert content.labels is None
    assert content.images.shape == (3, 256, 256, 3)
    # In the order of their paths: a/two, b/one, c.
    np.testing.assert_allclose(content.images[0, 0, 0], [40, 100, 200], atol=3)
    assert content.images[1, 0, 0].tolist() == [0, 100, 200]
    assert content.images[2].tolist() == np.full((256, 256, 3), 80).tolist()
    said = describe_inputs(tasks.get("class_scene"), InputSettings())
    assert (said["stand_in"], said["labels"]) == (False, "random")
    (rgb / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"broken\.png is not a readable image"):
        make_image_set(TASKONOMY, _no_fetch)


def test_of_many_photographs_the_same_are_drawn(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_folder, "MOST", 4)
    rgb = folder / "taskonomy" / "rgb"
    rgb.mkdir(parents=True)
    for i in range(12):
        Image.new("RGB", (4, 4), (i, i, i)).save(rgb / f"{i:02}.png")
    drawn = []
    for _ in range(2):
        make_image_set(TASKONOMY, _no_fetch)
        drawn.append(read_image_set("taskonomy").images[:, 0, 0, 0].tolist())
    assert drawn[0] == drawn[1] == sorted(set(drawn[0]))
    assert len(drawn[0]) == 4
    assert drawn[0] != [0, 1, 2, 3]  # not all from the first building


@pytest.mark.mirror
def test_the_real_sample_gives_two_batches_of_32() -> None:
    for task in ("jigsaw", "autoencoder"):
        batch = load_batch(tasks.get(task), SAMPLE, 0, 32)
        assert batch.second is not None
        assert len(batch) == len(batch.second) == 32
    with pytest.raises(HarnessError, match="at most 32"):
        load_batch(tasks.get("jigsaw"), SAMPLE, 0, 33)
    assert image_sets.get("imagenet_sample_256").side == tasks.get("jigsaw").image_side

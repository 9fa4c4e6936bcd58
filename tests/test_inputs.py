"""Batches: the right images, in an order that the seed fixes, with nothing made up silently."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from harness.core import seeds
from harness.core.errors import DataError, HarnessError
from harness.core.types import Batch
from harness.inputs import digits
from harness.inputs.augment import crop_and_flip
from harness.inputs.batch import load_batch
from harness.inputs.description import describe_inputs
from harness.inputs.image_sets import choices, find, image_sets, read_image_set
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import Task, tasks
from harness.sources.places import checksum

DIGITS = tasks.get("digits")
CIFAR10 = tasks.get("cifar10")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, without a mirror."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    (tmp_path / "images").mkdir()
    return tmp_path


def _write(folder: Path, name: str, n: int = 20, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """Writes a set whose image i is filled with the number i, and its label i modulo classes."""
    image_set = image_sets.get(name)
    numbers = np.arange(n, dtype=np.uint8)
    images = np.broadcast_to(numbers[:, None, None, None], (n, image_set.side, image_set.side, 3))
    arrays = {"images": images.copy()}
    if image_set.classes:
        arrays["labels"] = np.arange(n) % image_set.classes
    arrays |= changes
    np.savez(folder / "images" / f"{name}.npz", **arrays)
    return arrays


def _numbers(batch: Batch) -> list[int]:
    """Which images a batch of ``_write``'s set holds, if it was not normalised."""
    return [round(float(image[0, 0, 0]) * 255) for image in batch.images]


RAW = InputSettings(normalise=False)


def test_first_order_takes_the_files_own(folder: Path) -> None:
    _write(folder, "cifar10_train")
    settings = InputSettings(normalise=False, order="first")
    for seed in (0, 1):
        batch = load_batch(CIFAR10, settings, seed, 4)
        assert _numbers(batch) == [0, 1, 2, 3]
        assert batch.labels is not None and batch.second is not None
        assert batch.labels.tolist() == [0, 1, 2, 3]
        assert _numbers(batch.second) == [4, 5, 6, 7]
    assert batch.images.dtype == torch.float32
    assert batch.labels.dtype == torch.int64
    assert batch.loss == CIFAR10.loss


def test_random_batches_differ_by_seed_and_never_repeat_an_image(folder: Path) -> None:
    _write(folder, "cifar10_train")
    drawn = []
    for seed in range(5):
        batch = load_batch(CIFAR10, RAW, seed, 10)
        assert batch.second is not None and batch.labels is not None
        numbers = _numbers(batch) + _numbers(batch.second)
        assert sorted(numbers) == list(range(20))
        assert batch.labels.tolist() == [n % 10 for n in numbers[:10]]  # labels follow images
        drawn.append(tuple(numbers))
        again = load_batch(CIFAR10, RAW, seed, 10)
        assert torch.equal(batch.images, again.images)
    assert len(set(drawn)) == 5
    smaller = load_batch(CIFAR10, RAW, 4, 3)
    assert _numbers(smaller) == list(drawn[4][:3])


@pytest.mark.parametrize("source", ["task", "gaussian"])
def test_batches_and_the_users_torch_leave_each_other_alone(source: str) -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    batch = load_batch(DIGITS, InputSettings(source), 0, 4)
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        again = load_batch(DIGITS, InputSettings(source), 0, 4)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    torch.testing.assert_close(again.images, batch.images, rtol=0, atol=0)
    torch.testing.assert_close(again.labels, batch.labels, rtol=0, atol=0)


def test_normalisation_by_hand() -> None:
    raw = load_batch(DIGITS, RAW, 3, 8).images.double()
    normal = load_batch(DIGITS, InputSettings(), 3, 8).images
    image_set = image_sets.get("digits_train")
    expected = (raw - image_set.mean[0]) / image_set.std[0]
    assert torch.allclose(normal.double(), expected, atol=1e-6)
    assert raw.min() >= 0 and raw.max() <= 1


def test_digits_have_the_bundled_pixels_and_a_stratified_split() -> None:
    split = digits.train_test_split()
    assert split.train_images.shape == (400, 8, 8, 3)
    assert split.test_images.shape == (1397, 8, 8, 3)
    assert np.bincount(split.train_labels).min() >= 38
    bunch = load_digits()
    grey = {image.tobytes() for image in np.rint(bunch.images * 255 / 16).astype(np.uint8)}
    both = np.concatenate([split.train_images, split.test_images])
    assert {image[..., 1].tobytes() for image in both} == grey
    assert (both[..., 0] == both[..., 2]).all()
    again = digits.train_test_split.__wrapped__()
    np.testing.assert_array_equal(split.train_images, again.train_images)
    # Ground truth was trained on this very split; another one would be another task.
    content = split.train_images.tobytes() + split.train_labels.tobytes()
    assert hashlib.sha256(content).hexdigest().startswith("bfdccb4d95e627b0")
    for size in (9, 1788):
        with pytest.raises(HarnessError, match="1787"):
            digits.train_test_split(size)


def test_digits_batch_comes_from_the_training_part() -> None:
    train = {image.tobytes() for image in digits.train_test_split().train_images}
    batch = load_batch(DIGITS, RAW, 0, 200)
    assert batch.second is not None
    for part in (batch, batch.second):
        pixels = (part.images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        assert all(image.tobytes() in train for image in pixels)
    said = describe_inputs(DIGITS, RAW)
    assert said["stand_in"] is False
    assert said["labels"] == "true"


def test_gaussian_noise_is_standard_normal_and_labels_are_apart() -> None:
    settings = InputSettings("gaussian")
    batch = load_batch(CIFAR10, settings, 0, 64)
    assert batch.second is not None and batch.labels is not None
    assert batch.images.shape == (64, 3, 32, 32)
    assert abs(float(batch.images.mean())) < 0.01
    assert abs(float(batch.images.std()) - 1) < 0.01
    assert not torch.equal(batch.images, batch.second.images)
    assert set(batch.labels.tolist()) <= set(range(10)) and len(set(batch.labels.tolist())) > 5
    wide = Task("wide", CIFAR10.input_shape, 1000)
    assert torch.equal(load_batch(wide, settings, 0, 64).images, batch.images)
    said = describe_inputs(CIFAR10, settings)
    assert (said["source"], said["stand_in"], said["labels"]) == ("gaussian", True, "random")
    assert (said["normalise"], said["sha256"]) == (False, None)
    with pytest.raises(HarnessError, match="augment"):
        InputSettings("gaussian", augment=True)


def test_stand_ins_get_random_labels_and_say_so(folder: Path) -> None:
    _write(folder, "svhn_train_unlabelled")
    _write(folder, "cifar10_train", labels=np.full(20, 3))
    _write(folder, "imagenet_sample_16", labels=np.full(20, 3))
    cifar100, imagenet = tasks.get("cifar100"), tasks.get("imagenet16_120")
    for task, source in (
        (CIFAR10, "svhn_train_unlabelled"),
        (cifar100, "cifar10_train"),
        (imagenet, "imagenet_sample_16"),
    ):
        settings = InputSettings(source)
        batch = load_batch(task, settings, 0, 10)
        assert batch.labels is not None
        assert len(set(batch.labels.tolist())) > 3  # not the file's constant label
        assert int(batch.labels.max()) < task.outputs
        assert torch.equal(batch.labels, load_batch(task, settings, 0, 10).labels)
        assert not torch.equal(batch.labels, load_batch(task, settings, 1, 10).labels)
        said = describe_inputs(task, settings)
        assert said["stand_in"] is True
        assert said["labels"] == "random"
        assert said["sha256"] == checksum(folder / f"images/{source}.npz")
    own = describe_inputs(CIFAR10, InputSettings())
    assert (own["stand_in"], own["labels"]) == (False, "true")


@settings(deadline=None)
@given(st.integers(1, 6), st.sampled_from([8, 16, 32]), st.integers(0, 2**32))
def test_every_augmented_image_is_a_shifted_maybe_mirrored_original(
    n: int, side: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    images = random.integers(1, 256, size=(n, side, side, 3), dtype=np.uint8)
    original = images.copy()
    result = crop_and_flip(images, random)
    np.testing.assert_array_equal(images, original)
    assert result.shape == images.shape
    p = side // 8
    for before, after in zip(images, result, strict=True):
        padded = np.zeros((side + 2 * p, side + 2 * p, 3), np.uint8)
        padded[p : p + side, p : p + side] = before
        crops = [
            padded[r : r + side, c : c + side] for r in range(2 * p + 1) for c in range(2 * p + 1)
        ]
        assert any(
            np.array_equal(after, crop) or np.array_equal(after, crop[:, ::-1]) for crop in crops
        )


def test_augmentation_draws_all_offsets_and_half_of_the_flips() -> None:
    # A white pixel left of the centre shows where each image went.
    images = np.zeros((4000, 16, 16, 3), np.uint8)
    images[:, 8, 4] = 255
    result = crop_and_flip(images, seeds.numpy_stream("test"))
    rows, columns = np.nonzero(result[..., 0])[1:]
    assert set(rows) == set(range(6, 11))  # 8 ± 2
    assert set(columns) == set(range(2, 7)) | set(range(9, 14))  # 4 ± 2, and mirrored
    assert abs((columns > 7).mean() - 0.5) < 0.03


def test_augmented_border_is_black_before_normalisation(folder: Path) -> None:
    white = np.full((20, 32, 32, 3), 255, np.uint8)
    _write(folder, "cifar10_train", images=white)
    batch = load_batch(CIFAR10, InputSettings(augment=True), 0, 10)
    image_set = image_sets.get("cifar10_train")
    black = [-m / s for m, s in zip(image_set.mean, image_set.std, strict=True)]
    for channel in range(3):
        assert float(batch.images[:, channel].min()) == pytest.approx(black[channel], abs=1e-5)
    plain = load_batch(CIFAR10, InputSettings(), 0, 10)
    assert torch.equal(plain.labels, batch.labels)  # augmentation moves no other stream


def test_wrong_sizes_are_told_with_numbers(folder: Path) -> None:
    _write(folder, "cifar10_train")
    with pytest.raises(HarnessError, match=r"need 22, but cifar10_train holds 20; .* at most 10"):
        load_batch(CIFAR10, InputSettings(), 0, 11)
    with pytest.raises(HarnessError, match=r"3×8×8, .* cifar10 takes 3×32×32"):
        load_batch(CIFAR10, InputSettings("digits"), 0, 4)
    with pytest.raises(HarnessError, match="at least 1"):
        load_batch(DIGITS, InputSettings(), 0, 0)
    with pytest.raises(HarnessError, match="l1"):
        load_batch(Task("auto", (3, 8, 8), 3, loss="l1", images="digits_train"), RAW, 0, 4)
    with pytest.raises(HarnessError, match="no image set of its own"):
        load_batch(Task("new", (3, 8, 8), 3), RAW, 0, 4)


def test_a_data_set_names_its_training_images() -> None:
    assert find("cifar10") is image_sets.get("cifar10_train")
    assert find("svhn") is image_sets.get("svhn_train")
    for name in choices():
        assert name in (find(name).name, find(name).dataset)
        assert InputSettings(name).source == name
    with pytest.raises(HarnessError, match="Did you mean 'cifar100'"):
        find("cifr100")


def test_unknown_settings_suggest_the_nearest() -> None:
    with pytest.raises(HarnessError, match="Did you mean 'gaussian'"):
        InputSettings("gausian")
    with pytest.raises(HarnessError, match="Did you mean 'first'"):
        InputSettings(order="frist")


def test_a_missing_set_never_turns_into_anything_else(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_batch(tasks.get("imagenet16_120"), InputSettings(), 0, 4)
    for part in (
        "images/imagenet16_120_train.npz",
        "these 10 files from https://image-net.org",
        *(f"cache/imagenet16/train_data_batch_{i} (about 99 MB)" for i in range(1, 11)),
        "inputs=gaussian",
        "inputs=photographs",
    ):
        assert part in str(caught.value)
    assert "imagenet_sample_16" not in str(caught.value)  # it is not here either
    _write(folder, "imagenet_sample_16")
    with pytest.raises(DataError, match=r"`inputs=imagenet_sample_16`, `inputs=photographs`, `inp"):
        load_batch(tasks.get("imagenet16_120"), InputSettings(), 0, 4)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="place it at"):
        read_image_set("svhn_train_unlabelled")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((4, 32, 32, 3), np.float32)}, "float32"),
        ({"images": np.zeros((4, 3, 32, 32), np.uint8)}, r"\(4, 3, 32, 32\)"),
        ({"labels": np.arange(3)}, "one whole-number label"),
        ({"labels": np.full(20, 10)}, "10 to 10; expected 0 to 9"),
        ({"labels": np.full(20, -1)}, "-1 to -1"),
        ({"images": np.array([{}] * 20, dtype=object)}, "not a readable"),
    ],
)
def test_a_set_with_other_contents_is_refused(
    folder: Path, changes: dict[str, np.ndarray], message: str
) -> None:
    _write(folder, "cifar10_train", **changes)
    with pytest.raises(DataError, match=message):
        read_image_set("cifar10_train")


def test_a_set_is_read_again_only_when_its_file_changes(folder: Path) -> None:
    _write(folder, "cifar10_train")
    for name in ("cifar10_train", "digits_train"):
        first = read_image_set(name)
        assert read_image_set(name) is first
        with pytest.raises(ValueError, match="read-only"):
            first.images[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            first.labels[0] = 0
    _write(folder, "cifar10_train", n=6)
    assert len(read_image_set("cifar10_train").images) == 6


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_broken_set_is_refused(folder: Path, save: Callable[..., None]) -> None:
    path = folder / "images/cifar10_train.npz"
    random = np.random.default_rng(0).integers(256, size=(20, 32, 32, 3), dtype=np.uint8)
    save(path, images=random // 4, labels=np.arange(20) % 10)
    whole = path.read_bytes()
    flips = [
        whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]
        for place in range(200, len(whole) - 1200, len(whole) // 20)
    ]
    for content in (whole[: len(whole) // 2], b"", b"text", *flips):
        path.write_bytes(content)
        with pytest.raises(DataError, match="make it again"):
            read_image_set("cifar10_train")


def test_the_mirror_comes_before_the_own_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(folder, "cifar10_train")
    mirror = folder / "mirror"
    (mirror / "images").mkdir(parents=True)
    monkeypatch.setenv("HARNESS_MIRROR", str(mirror))
    assert len(read_image_set("cifar10_train").images) == 20
    _write(mirror, "cifar10_train", n=6)
    assert len(read_image_set("cifar10_train").images) == 6


@pytest.mark.mirror
def test_real_sets_have_the_statistics_of_their_normalisation() -> None:
    for name in ("cifar10_train", "cifar100_train", "svhn_train_unlabelled", "digits_train"):
        images = read_image_set(name).images[::10] / 255
        image_set = image_sets.get(name)
        np.testing.assert_allclose(images.mean((0, 1, 2)), image_set.mean, atol=0.02)
        np.testing.assert_allclose(images.std((0, 1, 2)), image_set.std, atol=0.02)


@pytest.mark.mirror
def test_real_cifar10_begins_with_its_famous_images() -> None:
    # frog, truck, truck, deer, automobile: the first labels of data_batch_1
    batch = load_batch(CIFAR10, InputSettings(order="first"), 0, 16)
    assert batch.labels is not None
    assert batch.labels.tolist()[:5] == [6, 9, 9, 4, 1]

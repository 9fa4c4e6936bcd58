"""The image sets that the benchmarks are trained on, and declared stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.core.errors import HarnessError
from harness.inputs.image_sets import Images, ImageSet, add
from harness.inputs.tasks import RGB

_CIFAR = "https://www.cs.toronto.edu/~kriz/cifar.html"
_SVHN = "http://ufldl.stanford.edu/housenumbers"
_CIFAR10_TRAIN = [f"data_batch_{i}" for i in range(1, 6)]
_MEMBERS = {
    "cifar10_train": _CIFAR10_TRAIN,
    "cifar10_test": ["test_batch"],
    "cifar100_train": ["train"],
    "cifar100_test": ["test"],
}


def _from_binary(name: str, folder: str, label_bytes: int) -> Callable[[list[Path]], Images]:
    members = [f"{folder}/{member}.bin" for member in _MEMBERS[name]]

    def make(paths: list[Path]) -> Images:
        from harness.sources import image_archives

        return image_archives.cifar_binary(paths[0], members, label_bytes)

    return make


def from_python(source: str, image_set: ImageSet) -> Callable[[list[Path]], Images]:
    """Returns what makes a CIFAR set from the Python version of its archive.

    Raises:
        HarnessError: If that archive holds other images.
    """
    kinds = {
        "cifar10_python": ("cifar10", "cifar-10-batches-py", "labels"),
        "cifar100_python": ("cifar100", "cifar-100-python", "fine_labels"),
    }
    dataset, folder, key = kinds.get(source, ("", "", ""))
    if dataset != image_set.dataset:
        raise HarnessError(
            f"The image set {image_set.name!r} cannot be made from {source!r}; it is made from "
            f"{', '.join(image_set.sources)}, or for CIFAR from {image_set.dataset}_python."
        )
    members = [f"{folder}/{member}" for member in _MEMBERS[image_set.name]]

    def make(paths: list[Path]) -> Images:
        from harness.sources import image_archives

        return image_archives.cifar_python(paths[0], members, key)

    return make


def _imagenet16_120(paths: list[Path]) -> Images:
    from harness.sources import image_archives

    return image_archives.imagenet16_120(paths)


def _svhn(paths: list[Path]) -> Images:
    from harness.sources import image_archives

    return image_archives.svhn(paths[0])


def _photographs(side: int) -> Images:
    from harness.inputs.photographs import crops

    return crops(side), None


def _training_digits(_: int) -> Images:
    from harness.inputs import digits

    split = digits.train_test_split()
    return split.train_images, split.train_labels


def _test_digits(_: int) -> Images:
    from harness.inputs import digits

    split = digits.train_test_split()
    return split.test_images, split.test_labels


# Mean and deviation of each training set, as the field's code has them: DARTS for CIFAR-10,
# NAS-Bench-201 for ImageNet16, NAS-Bench-Suite-Zero for SVHN and Taskonomy.
_CIFAR10_RGB: tuple[RGB, RGB] = (
    (0.49139968, 0.48215827, 0.44653124),
    (0.24703233, 0.24348505, 0.26158768),
)
_CIFAR100_RGB: tuple[RGB, RGB] = ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))
_IMAGENET16_RGB: tuple[RGB, RGB] = (
    (122.68 / 255, 116.66 / 255, 104.01 / 255),
    (63.22 / 255, 61.26 / 255, 65.09 / 255),
)
_SVHN_RGB: tuple[RGB, RGB] = ((0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970))
_IMAGENET_RGB: tuple[RGB, RGB] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_TASKONOMY_RGB: tuple[RGB, RGB] = ((0.5224, 0.5222, 0.5221), (0.2234, 0.2235, 0.2236))
# Of the thousand crops of 32×32.
_PHOTOGRAPHS_RGB: tuple[RGB, RGB] = ((0.4673, 0.4523, 0.3975), (0.3598, 0.2807, 0.3057))
_DIGITS_RGB: tuple[RGB, RGB] = ((0.3033, 0.3033, 0.3033), (0.3739, 0.3739, 0.3739))

_SETS = [
    ImageSet(
        "cifar10_train", "cifar10", 32, 10, *_CIFAR10_RGB, "CIFAR-10, training images",
        split="training", total=50_000,
        sources=("cifar10_binary",), address=_CIFAR,
        make=_from_binary("cifar10_train", "cifar-10-batches-bin", 1),
    ),
    ImageSet(
        "cifar10_test", "cifar10", 32, 10, *_CIFAR10_RGB, "CIFAR-10, test images",
        split="test", total=10_000,
        sources=("cifar10_binary",), address=_CIFAR,
        make=_from_binary("cifar10_test", "cifar-10-batches-bin", 1),
    ),
    ImageSet(
        "cifar100_train", "cifar100", 32, 100, *_CIFAR100_RGB, "CIFAR-100, training images",
        split="training", total=50_000,
        sources=("cifar100_binary",), address=_CIFAR,
        make=_from_binary("cifar100_train", "cifar-100-binary", 2),
    ),
    ImageSet(
        "cifar100_test", "cifar100", 32, 100, *_CIFAR100_RGB, "CIFAR-100, test images",
        split="test", total=10_000,
        sources=("cifar100_binary",), address=_CIFAR,
        make=_from_binary("cifar100_test", "cifar-100-binary", 2),
    ),
    ImageSet(
        "imagenet16_120_train", "imagenet16_120", 16, 120, *_IMAGENET16_RGB,
        "ImageNet downsampled to 16×16, the first 120 classes of the training images",
        split="training", total=151_700,
        sources=tuple(f"imagenet16_train_{i}" for i in range(1, 11)),
        address="https://image-net.org/download-images", make=_imagenet16_120,
    ),
    ImageSet(
        "svhn_train", "svhn", 32, 10, *_SVHN_RGB, "Street View House Numbers, training images",
        split="training", total=73_257, sources=("svhn_train",), address=_SVHN, make=_svhn,
    ),
    ImageSet(
        "svhn_test", "svhn", 32, 10, *_SVHN_RGB, "Street View House Numbers, test images",
        split="test", total=26_032, sources=("svhn_test",), address=_SVHN, make=_svhn,
    ),
    ImageSet(
        "svhn_train_unlabelled", "svhn", 32, None, *_SVHN_RGB,
        "Street View House Numbers, training images without labels",
        split="training", total=73_257, licence="non-commercial use only",
    ),
    ImageSet(
        "imagenet_sample_16", "imagenet_sample", 16, 1000, *_IMAGENET16_RGB,
        "1000 ImageNet photographs, one per class, at 16×16; not ImageNet16-120",
        licence="ImageNet terms of access",
    ),
    ImageSet(
        "imagenet_sample_256", "imagenet_sample", 256, 1000, *_IMAGENET_RGB,
        "64 ImageNet photographs of different classes at 256×256; not Taskonomy",
        licence="ImageNet terms of access",
    ),
    ImageSet(
        "taskonomy", "taskonomy", 256, None, *_TASKONOMY_RGB,
        "Taskonomy, photographs without labels",
        address="https://github.com/StanfordVL/taskonomy/tree/master/data",
        folder="taskonomy/rgb", licence="the terms on its page",
    ),
    ImageSet(
        "digits_train", "digits", 8, 10, *_DIGITS_RGB,
        "scikit-learn's handwritten digits, the 400 training images",
        split="training", total=400, licence="CC-BY-4.0", load=_training_digits,
    ),
    ImageSet(
        "digits_test", "digits", 8, 10, *_DIGITS_RGB,
        "scikit-learn's handwritten digits, the 1,397 test images",
        split="test", total=1397, licence="CC-BY-4.0", load=_test_digits,
    ),
    ImageSet(
        "photographs", "photographs", None, None, *_PHOTOGRAPHS_RGB,
        "crops of the two photographs that scikit-learn bundles, a temple and a flower; no labels",
        licence="CC-BY-2.0", load=_photographs,
    ),
]  # fmt: skip

for _one in _SETS:
    add(_one)

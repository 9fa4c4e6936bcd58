"""The 1,797 handwritten digits of 8×8 pixels that scikit-learn bundles: images without a download.

E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998 (the test part, CC BY 4.0).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import HarnessError

TOTAL = 1797
TRAIN = 400
TEST = TOTAL - TRAIN
SPLIT_SEED = 0
DARKEST = 16  # pixels count from 0 to this


class Split(NamedTuple):
    """Images (uint8 N×8×8×3) and labels (int64) of both parts."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]


def all_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns all images (uint8 1797×8×8×3, three equal channels) and labels (int64, 0 to 9)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey = np.rint(bunch.images * (255 / DARKEST)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1), bunch.target.astype(np.int64)


@cache
def train_test_split(train_size: int = TRAIN) -> Split:
    """Splits the digits, always in the same way and with every class in proportion.

    The default split belongs to the ground truth of the task ``digits``: networks are trained on
    its 400 training images, scored on batches of the same, and tested on the other 1,397.

    Args:
        train_size: How many images to train on, from 10 to 1,787 (ten classes in either part).

    Raises:
        HarnessError: If ``train_size`` is out of that range.
    """
    if not 10 <= train_size <= TOTAL - 10:
        raise HarnessError(f"train_size={train_size} digits; it must be from 10 to {TOTAL - 10}.")
    from sklearn.model_selection import train_test_split as split

    images, labels = all_digits()
    train, test = split(
        np.arange(TOTAL), train_size=train_size, stratify=labels, random_state=SPLIT_SEED
    )
    return Split(images[train], labels[train], images[test], labels[test])

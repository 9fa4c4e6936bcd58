"""An image set that is made on the spot: horizontal and vertical stripes."""

import numpy as np

from harness.inputs.image_sets import Images, ImageSet, add


def stripes(_: int) -> Images:
    """Returns a hundred images and which way their stripes go."""
    across = np.tile(np.array([0, 255], np.uint8), (8, 4))[None, :, :, None].repeat(3, axis=3)
    noise = np.random.default_rng(0).integers(0, 9, (100, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(100) % 2
    images = np.where(labels[:, None, None, None], across.swapaxes(1, 2), across)
    return np.maximum(images, noise), labels


add(
    ImageSet(
        "stripes_train", "stripes", 8, 2, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5),
        "stripes of two directions", load=stripes,
    )
)  # fmt: skip

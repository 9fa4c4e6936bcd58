"""Reads a folder of the user's own images, for data sets that no single file holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.core import seeds
from harness.core.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg")
# A batch needs few images; a whole data set of this size would not fit into memory.
MOST = 1024


def read_folder(folder: Path, side: int, advice: str) -> NDArray[np.uint8]:
    """Reads the images below a folder, resized to squares; random ones if there are many.

    Args:
        folder: The folder; images in folders below count too.
        side: Height and width of the result.
        advice: What to place there, for the error message.

    Returns:
        uint8 N×side×side×3, at most ``MOST``, in alphabetical order of their paths. Which ones is
        always the same draw.

    Raises:
        DataError: If the folder holds no images, or one that cannot be read.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise DataError(f"{folder} holds no images ({', '.join(SUFFIXES)}); {advice}.")
    random = seeds.numpy_stream("folder", folder.name)
    chosen = np.sort(random.permutation(len(paths))[:MOST])
    return np.stack([_read(paths[i], side) for i in chosen])


def _read(path: Path, side: int) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError) as error:  # Pillow raises all of these
        raise DataError(
            f"{path} is not a readable image ({error}); remove or replace it."
        ) from error
    return np.asarray(resized, dtype=np.uint8)

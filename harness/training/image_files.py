"""Images that do not fit into memory: files in a folder per class, read ahead of the training.

ImageNet as DARTS trains on it: crops of random size and shape, brought to 224×224 pixels, mirrored
and changed in colour. Threads decode and crop; all else is done on the device.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from harness.core.errors import DataError
from harness.executors.executor import on_gpu
from harness.inputs.image_folder import SUFFIXES
from harness.inputs.tasks import RGB
from harness.training.augmentation import cut_out
from harness.training.colours import change_colours

SIDE, SHORTER = 224, 256
AHEAD = 4  # batches
TRIES = 10
AREA, SHAPE = (0.08, 1.0), (3 / 4, 4 / 3)

Pixels3 = NDArray[np.uint8]
"""uint8 224×224×3."""


@dataclass(frozen=True)
class ImageFiles:
    """Images in files, below a folder.

    Attributes:
        root: The folder.
        paths: Their paths below it.
        labels: int64 N.
        mean: Per channel, of pixels from 0 to 1.
        std: Likewise.
        device: Where they are shown.
    """

    root: Path
    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    mean: RGB
    std: RGB
    device: str = "cpu"

    def __len__(self) -> int:
        """Number of images."""
        return len(self.paths)

    @property
    def names_sha256(self) -> str:
        """Tells one selection of files from another; what is in them is not read for it."""
        return hashlib.sha256("\n".join(self.paths).encode()).hexdigest()

    def on(self, device: torch.device | str) -> ImageFiles:
        """Returns the same images, shown on a device."""
        return replace(self, device=str(device))

    def augmented(
        self, random: np.random.Generator, batch_size: int, *, crop: bool, hole: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields an epoch's batches, images N×3×224×224 and labels N; the last may be smaller.

        Args:
            random: Draws their order and how they are augmented.
            batch_size: Images per batch.
            crop: Whether to crop, flip and change colours; if not, they are shown as in a test.
            hole: Side of the square that is cut out; 0 for none.
        """
        boxes, others = random.spawn(2)
        order = others.permutation(len(self))
        starts = range(0, len(order) - 1, batch_size)  # a single image has no batch statistics
        batches = [order[start : start + batch_size] for start in starts]
        reads = (
            [self._read(i, boxes.random((TRIES, 4)) if crop else None) for i in chosen]
            for chosen in batches
        )
        for chosen, pixels in zip(batches, read_ahead(reads), strict=True):
            images = self._floats(pixels)
            if crop:
                mirrored = torch.from_numpy(others.random(len(chosen)) < 0.5).to(self.device)
                images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)
                images = change_colours(images, others)
            centres = torch.from_numpy(others.integers(SIDE, size=(2, len(chosen))))
            shown = cut_out(self._normalised(images), centres.to(self.device), hole)
            yield shown, self._labels(chosen)

    def plain(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields all images as they are tested: the middle of the image, whose side is 256."""
        order = np.arange(len(self))
        batches = [order[start : start + batch_size] for start in range(0, len(self), batch_size)]
        reads = ([self._read(i, None) for i in chosen] for chosen in batches)
        for chosen, pixels in zip(batches, read_ahead(reads), strict=True):
            yield self._normalised(self._floats(pixels)), self._labels(chosen)

    def _read(self, index: int, drawn: NDArray[np.float64] | None) -> Callable[[], Pixels3]:
        return partial(read_image, self.root / self.paths[index], drawn)

    def _floats(self, pixels: NDArray[np.uint8]) -> Tensor:
        bytes_ = torch.from_numpy(pixels)
        if on_gpu(self.device):
            bytes_ = bytes_.pin_memory()  # else the copy would wait for what the GPU is at
        return bytes_.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float() / 255

    def _normalised(self, images: Tensor) -> Tensor:
        mean, std = (images.new_tensor(rgb).view(3, 1, 1) for rgb in (self.mean, self.std))
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)

    def _labels(self, chosen: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self.labels[chosen]).to(self.device)


@lru_cache(maxsize=2)
def class_folders(root: Path, mean: RGB, std: RGB) -> ImageFiles:
    """Lists images in a folder per class; classes are counted in the order of the folders' names.

    Raises:
        DataError: If there is none.
    """
    folders = sorted(path for path in root.glob("*") if path.is_dir())
    found = [
        (path.relative_to(root).as_posix(), label)
        for label, folder in enumerate(folders)
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise DataError(f"{root} holds no folders with images, one folder per class.")
    paths, labels = zip(*found, strict=True)
    return ImageFiles(root, paths, np.array(labels, dtype=np.int64), mean, std)


def read_ahead(
    batches: Iterable[Sequence[Callable[[], Pixels3]]],
) -> Iterator[NDArray[np.uint8]]:
    """Reads the next batches in threads while one is worked on, and yields them in order."""
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    waiting: deque[list[Future[Pixels3]]] = deque()
    try:
        for batch in batches:
            waiting.append([pool.submit(read) for read in batch])
            if len(waiting) > AHEAD:
                yield np.stack([one.result() for one in waiting.popleft()])
        while waiting:
            yield np.stack([one.result() for one in waiting.popleft()])
    finally:
        pool.shutdown(cancel_futures=True)


def read_image(path: Path, drawn: NDArray[np.float64] | None) -> Pixels3:
    """Reads an image at 224×224 pixels: a crop that numbers from 0 to 1 decide, or its middle.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:  # Pillow raises all of these
        raise DataError(f"{path} is not a readable image ({error}); replace it.") from error
    if drawn is not None:
        box = crop_box(*rgb.size, drawn)
        return np.asarray(rgb.crop(box).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    scale = SHORTER / min(rgb.size)
    width, height = (max(SHORTER, int(side * scale)) for side in rgb.size)
    left, top = round((width - SIDE) / 2), round((height - SIDE) / 2)
    whole = rgb.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(whole.crop((left, top, left + SIDE, top + SIDE)))


def crop_box(width: int, height: int, drawn: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Returns the box of a crop: left, top, right, bottom, in pixels.

    Its area is 8 to 100 % of the image's and its sides are as 3:4 to 4:3 (Szegedy et al., "Going
    Deeper with Convolutions", CVPR 2015). The first try that fits is taken; if none does, the
    largest box in the middle that keeps the ratio.

    Args:
        width: Of the image.
        height: Of the image.
        drawn: Numbers from 0 to 1, a row per try: area, shape, and place from left and top.
    """
    for area, shape, across, down in drawn:
        size = (AREA[0] + (AREA[1] - AREA[0]) * area) * width * height
        ratio = math.exp(math.log(SHAPE[0]) + math.log(SHAPE[1] / SHAPE[0]) * shape)
        w, h = round(math.sqrt(size * ratio)), round(math.sqrt(size / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(across * (width - w + 1)), int(down * (height - h + 1))
            return left, top, left + w, top + h
    w = min(width, round(height * SHAPE[1]))
    h = min(height, round(width / SHAPE[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h

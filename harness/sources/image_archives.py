"""Reads the official image archives: CIFAR-10 and CIFAR-100 in both formats, ImageNet16, SVHN.

All return images (uint8 N×H×W×3) and labels (int64 N), in the order of the files.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import DataError
from harness.sources.unpickle import load_plain

Images = tuple[NDArray[np.uint8], NDArray[np.int64]]

IMAGENET16_CLASSES = 120


def cifar_binary(archive: Path, members: Sequence[str], label_bytes: int) -> Images:
    """Reads the binary version: per image its label bytes, then 3072 pixels, channel by channel.

    Args:
        archive: The ``.tar.gz``.
        members: Files in it, in order.
        label_bytes: 1 for CIFAR-10; 2 for CIFAR-100, whose second is the fine label.

    Raises:
        DataError: If the archive or one of its files is missing or broken.
    """
    record = label_bytes + 3 * 32 * 32
    parts = []
    for member in members:
        content = _member(archive, member)
        if not content or len(content) % record:
            raise DataError(
                f"{member} in {archive} has {len(content):,} bytes, not a multiple of {record}."
            )
        parts.append(np.frombuffer(content, np.uint8).reshape(-1, record))
    records = np.concatenate(parts)
    return _channels_last(records[:, label_bytes:], 32), records[:, label_bytes - 1].astype(
        np.int64
    )


def cifar_python(archive: Path, members: Sequence[str], label_key: str) -> Images:
    """Reads the Python version: pickles of ``{"data": N×3072, label_key: list}``.

    Args:
        archive: The ``.tar.gz``.
        members: Files in it, in order.
        label_key: ``labels`` for CIFAR-10, ``fine_labels`` for CIFAR-100.

    Raises:
        DataError: If something is missing or broken, or a pickle holds more than plain data.
    """
    return _joined(
        [
            _batch(_member(archive, member), f"{member} in {archive}", label_key, 32)
            for member in members
        ]
    )


def imagenet16_120(paths: Sequence[Path]) -> Images:
    """Reads ImageNet16 batches and keeps the first 120 classes, as NAS-Bench-201 does.

    The files count classes from 1; the labels returned count from 0 to 119.

    Raises:
        DataError: If a file is broken or its pickle holds more than plain data.
    """
    images, labels = _joined([_batch(p.read_bytes(), str(p), "labels", 16) for p in paths])
    kept = (labels >= 1) & (labels <= IMAGENET16_CLASSES)
    return images[kept], labels[kept] - 1


def svhn(path: Path) -> Images:
    """Reads a MATLAB file of SVHN: ``X`` (32×32×3×N) and ``y`` (N×1), where 10 is the digit 0.

    Raises:
        DataError: If the file is broken or holds something else.
    """
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=["X", "y"])
        images, labels = np.asarray(found["X"]), np.asarray(found["y"]).ravel()
    except Exception as error:  # scipy raises many types for what it does not read
        raise DataError(f"{path} cannot be read as a MATLAB file of SVHN ({error}).") from error
    if images.dtype != np.uint8 or images.shape != (32, 32, 3, len(labels)):
        raise DataError(
            f"{path} holds X {images.dtype} {images.shape} and {len(labels)} labels; expected "
            "uint8 32×32×3×N and N labels."
        )
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels.astype(np.int64) % 10


def _member(archive: Path, name: str) -> bytes:
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile(name)
            return file.read() if file else b""
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{name} cannot be read from {archive} ({error}).") from error


def _batch(content: bytes, name: str, label_key: str, side: int) -> Images:
    batch = load_plain(io.BytesIO(content), name)
    if not isinstance(batch, dict) or not {"data", label_key} <= batch.keys():
        raise DataError(f"{name} holds no image batch: expected entries 'data' and {label_key!r}.")
    data, labels = np.asarray(batch["data"]), np.asarray(batch[label_key])
    pixels = 3 * side * side
    if (
        data.dtype != np.uint8
        or data.shape != (len(labels), pixels)
        or labels.dtype.kind not in "iu"
    ):
        raise DataError(
            f"{name} holds data {data.dtype} {data.shape} and {len(labels)} labels; expected "
            f"uint8 N×{pixels} and N whole numbers."
        )
    return _channels_last(data, side), labels.astype(np.int64)


def _channels_last(rows: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rows.reshape(-1, 3, side, side).transpose(0, 2, 3, 1))


def _joined(batches: Sequence[Images]) -> Images:
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)

"""Reads TFRecord files without TensorFlow.

A record is its length (8 bytes), the length's checksum (4), its content, the content's checksum
(4), all little endian: https://www.tensorflow.org/tutorials/load_data/tfrecord
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import DataError

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_MASK = 0xA282EAD8


def records(path: Path) -> Iterator[bytes]:
    """Yields the contents of all records of a file.

    Raises:
        DataError: If a record is cut off or does not match its checksum.
    """
    with path.open("rb") as file:
        number = 0
        while head := file.read(12):
            number += 1
            if len(head) < 12 or masked(crc32c(head[:8])) != struct.unpack("<I", head[8:])[0]:
                raise _broken(path, number)
            (size,) = struct.unpack("<Q", head[:8])
            content, checksum = file.read(size), file.read(4)
            if len(checksum) < 4 or masked(crc32c(content)) != struct.unpack("<I", checksum)[0]:
                raise _broken(path, number)
            yield content


def _broken(path: Path, number: int) -> DataError:
    return DataError(f"{path} is truncated or damaged at record {number:,}; fetch it again.")


def crc32c(content: bytes) -> int:
    """Returns the CRC-32C of ``content`` (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """Returns a checksum as TFRecord stores it: rotated right by 15 bits, plus a constant."""
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = [_remainder(byte) for byte in range(256)]

"""The little of protocol buffers that is needed to read a message: its fields, by number.

The wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes
"""A number for variable-length integers; the raw bytes for everything else."""

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yields the (number, value) of every field of a message, in order.

    Args:
        message: The encoded message. Doubles come back as eight bytes, little endian; texts and
            nested messages as their bytes.

    Raises:
        ValueError: If the message is cut off or uses a type that does not exist.
    """
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == _VARINT:
            number, place = _varint(message, place)
            yield tag >> 3, number
            continue
        if kind == _LENGTH_DELIMITED:
            size, place = _varint(message, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of the unknown wire type {kind}")
        if place + size > len(message):
            raise ValueError("a message that ends within a field")
        yield tag >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """Returns the integer that begins at ``place``, seven bits a byte, and the place after it."""
    value = shift = 0
    while place < len(message):
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
    raise ValueError("a message that ends within a number")

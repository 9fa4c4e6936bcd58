"""NAS-Bench-101's official file, on files written here in its format."""

import base64
import json
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import truth
from harness.core.errors import DataError
from harness.sources import download, protobuf, tfrecord
from harness.spaces.space import spaces
from harness.truth import nb101_truth

# The inception-like example of the benchmark's own documentation, pruned.
MATRIX = "0111010" "0000001" "0000001" "0000100" "0000001" "0000001" "0000000"  # fmt: skip
OPERATIONS = (
    "input,conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3,output"
)
EXAMPLE_HASH = "28cfc7874f6d200472e1a9dcd8650aa0"


def _varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def _field(number: int, value: int | float | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _metrics(validation: float, test: float) -> bytes:
    """One run: metrics at its start, half way and at its end."""
    evaluations = [
        _field(1, epoch)
        + _field(2, 1234.5)
        + _field(3, 1.0)
        + _field(4, share * validation)
        + _field(5, share * test)
        + _field(6, b"model.ckpt-1")
        for epoch, share in ((0.0, 0.1), (54.0, 0.9), (108.0, 1.0))
    ]
    return b"".join(_field(1, e) for e in evaluations) + _field(2, 2_694_282) + _field(3, 99.0)


def _row(name: str, epochs: int, matrix: str, operations: str, metrics: bytes) -> bytes:
    text = base64.b64encode(metrics).decode()
    return json.dumps([name, epochs, matrix, operations, text]).encode()


def _crc32c_bit_by_bit(content: bytes) -> int:
    """Polynomial division, most significant bit first, on reversed bits: no table."""
    register = 0xFFFFFFFF
    for byte in content:
        for bit in range(8):
            high = register >> 31 ^ (byte >> bit & 1)
            register = (register << 1 & 0xFFFFFFFF) ^ (0x1EDC6F41 if high else 0)
    return int(f"{register ^ 0xFFFFFFFF:032b}"[::-1], 2)


def _framed(content: bytes) -> bytes:
    def checksum(part: bytes) -> bytes:
        crc = _crc32c_bit_by_bit(part)
        rotated = (crc >> 15) + (crc % 2**15) * 2**17
        return struct.pack("<I", (rotated + 0xA282EAD8) % 2**32)

    size = struct.pack("<Q", len(content))
    return size + checksum(size) + content + checksum(content)


def _write(path: Path, rows: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(map(_framed, rows)))
    return path


POOLING = ("aa" * 16, 108, "010001000", "input,maxpool3x3,output")
EXAMPLE = (EXAMPLE_HASH, 108, MATRIX, OPERATIONS)


@pytest.fixture
def official(tmp_path: Path) -> Path:
    rows = [
        _row(*POOLING, _metrics(0.5, 0.25)),
        *(_row(*EXAMPLE, _metrics(v, t)) for v, t in ((0.93, 0.90), (0.94, 0.92), (0.95, 0.94))),
        _row(EXAMPLE_HASH, 36, MATRIX, OPERATIONS, _metrics(0.1, 0.1)),
    ]
    return _write(tmp_path / "nasbench.tfrecord", rows)


def test_means_of_the_ends_of_all_runs(official: Path) -> None:
    table = nb101_truth.read_official(official, "test").set_index("key")
    space = spaces.get("nb101")
    pooling, example = "maxpool3x3~0|output~1", table.index[1]
    assert list(table.index) == [pooling, example]
    assert space.isomorphism_class(example) == EXAMPLE_HASH
    assert space.count_params(example, "cifar10") == 2_694_282  # published
    assert table.value[example] == pytest.approx(92)
    assert table["std"][example] == pytest.approx(2)
    assert table.n_training_seeds.to_dict() == {pooling: 1, example: 3}
    assert table.value[pooling] == pytest.approx(25)
    validation = nb101_truth.read_official(official, "validation").set_index("key")
    assert validation.value.to_dict() == {
        pooling: pytest.approx(50),
        example: pytest.approx(94),
    }


def test_every_kind_of_damage_is_found(official: Path) -> None:
    whole = official.read_bytes()
    first = 16 + struct.unpack("<Q", whole[:8])[0]
    for cut in (*range(1, 16), first - 3, first + 5, len(whole) - 1):
        official.write_bytes(whole[:cut])
        with pytest.raises(DataError, match="truncated or damaged at record"):
            nb101_truth.read_official(official, "test")
    for place in (0, 7, 9, 12, 100, first - 1, len(whole) - 2):
        official.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(DataError, match="truncated or damaged at record"):
            nb101_truth.read_official(official, "test")
    official.write_bytes(b"")
    with pytest.raises(DataError, match="no training runs of 108 epochs"):
        nb101_truth.read_official(official, "test")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"no json", "not a training run"),
        (b"[1, 2]", "not a training run"),
        (_row("a", 108, "0100", "input,output", _metrics(0.5, 0.5)[:-4]), "ends within a field"),
        (_row("a", 108, "0100", "input,output", b""), "0 evaluations where 3"),
        (_row("a", 108, "0100", "input,output", _field(1, b"") * 3), "no test accuracy"),
        (_row("a", 108, "0100", "input,output", _field(1, _field(5, 7)) * 3), "no test accuracy"),
        (_row("a", 108, "0000", "input,output", _metrics(0.5, 0.5)), "no path leads"),
        (_row("a", 108, "0100", "input,conv9x9,output", _metrics(0.5, 0.5)), "not a training run"),
    ],
)
def test_a_record_of_another_form_is_named(tmp_path: Path, row: bytes, message: str) -> None:
    path = _write(tmp_path / "bad.tfrecord", [_row(*POOLING, _metrics(0.5, 0.5)), row])
    with pytest.raises(DataError, match=rf"record 2, .*{message}"):
        nb101_truth.read_official(path, "test")


def test_the_file_is_fetched_or_placed_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)

    def offline(address: str, path: Path, name: str, most: int) -> None:
        assert address == "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord"
        assert (name, most) == ("nasbench_only108.tfrecord (523 MB)", 522_767_376)
        raise OSError("no network")

    monkeypatch.setattr(download, "download", offline)
    with pytest.raises(DataError, match="no network") as caught:
        truth.load("nb101", "cifar10", "official")
    place = tmp_path / "cache" / "nb101" / "nasbench_only108.tfrecord"
    assert str(place) in str(caught.value)
    _write(place, [_row(*POOLING, _metrics(0.5, 0.5))])
    with pytest.raises(DataError, match="no network"):  # what lay there was another file
        truth.load("nb101", "cifar10", "official_validation")


def test_published_check_values() -> None:
    # RFC 3720, appendix B.4, and the check value of the CRC catalogue
    assert tfrecord.crc32c(b"123456789") == 0xE3069283
    assert tfrecord.crc32c(bytes(32)) == 0x8A9136AA
    assert tfrecord.crc32c(b"\xff" * 32) == 0x62A8AB43
    # protobuf.dev: field 1 = 150; field 2 = "testing"
    assert list(protobuf.fields(b"\x08\x96\x01\x12\x07testing")) == [(1, 150), (2, b"testing")]


@given(st.binary(max_size=64))
def test_crc_is_polynomial_division(content: bytes) -> None:
    assert tfrecord.crc32c(content) == _crc32c_bit_by_bit(content)


NUMBERS = st.integers(0, 2**63) | st.floats(allow_nan=False) | st.binary(max_size=300)


@given(st.lists(st.tuples(st.integers(1, 2**20), NUMBERS), max_size=6))
def test_messages_come_back_as_written(written: list[tuple[int, int | float | bytes]]) -> None:
    message = b"".join(_field(number, value) for number, value in written)
    expected = [(n, struct.pack("<d", v) if isinstance(v, float) else v) for n, v in written]
    assert list(protobuf.fields(message)) == expected
    # Cut anywhere, a message gives its leading fields, then an error unless a field ended there.
    for cut in range(len(message)):
        fields = []
        try:
            fields.extend(protobuf.fields(message[:cut]))
        except ValueError as error:
            assert "ends within" in str(error)
        assert fields == expected[: len(fields)]
        assert len(fields) < len(expected)


def test_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown wire type 3"):
        list(protobuf.fields(b"\x0b"))

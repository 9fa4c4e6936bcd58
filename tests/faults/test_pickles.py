"""Pickles that were crafted or damaged: plain data comes out, or a sentence, never a crash."""

import bz2
import io
import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import DataError
from harness.sources import image_archives, nb201_runs
from harness.sources.unpickle import ARRAYS, DTYPES, NUMBERS, load_plain

EVERYTHING = {**ARRAYS, **NUMBERS, ("collections", "OrderedDict"): OrderedDict}
IMAGES = {"data": np.arange(2 * 3072, dtype=np.uint8).reshape(2, 3072), "labels": [1, 2]}
STATE = {"200": OrderedDict(arch_index=3, accuracy=np.float64(91.5), epochs=np.int64(200))}
WHOLE = [pickle.dumps(value, protocol) for value in (IMAGES, STATE) for protocol in (2, 3, 4)]


def load(content: bytes) -> Any:
    return load_plain(io.BytesIO(content), "it", EVERYTHING)


@pytest.mark.parametrize("name", sorted(DTYPES))
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("protocol", [2, 4])
def test_arrays_and_numbers_come_back_as_they_were(name: str, order: str, protocol: int) -> None:
    random = np.random.default_rng(0).integers(0, 2, (3, 4))
    array = random.astype(np.dtype(f"{order}{name}"))
    for written in (array, np.asfortranarray(array), array[0]):
        found = load(pickle.dumps(written, protocol))
        assert isinstance(found, np.ndarray)
        assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(np.asarray(found), written)
        assert found.flags.f_contiguous == written.flags.f_contiguous
    number = load(pickle.dumps(array[0, 0], protocol))
    assert number == array[0, 0]


def dtype(argument: bytes, state: bytes) -> bytes:
    """A dtype with a state of one's own."""
    return b"cnumpy\ndtype\n(" + argument + b"I00\nI01\ntR(" + state + b"tb"


PLAIN_STATE = b"I3\nS'<'\nNNNI-1\nI-1\nI0\n"
FLOAT = dtype(b"S'f8'\n", PLAIN_STATE)
ARRAY = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR("


@pytest.mark.parametrize(
    "content",
    [
        # Objects, records, text, subarrays and metadata, which numpy would build without a look.
        *(
            dtype(f"S'{name}'\n".encode(), PLAIN_STATE)
            for name in ("O", "O8", "V8", "M8", "U9", "S9", "f4,f4", "(2,)f4", "G16", "f16", "?x")
        ),
        dtype(b"]", PLAIN_STATE),
        dtype(b"S'f8'\n", b"I3\nS'<'\n(cnumpy\ndtype\n(I2\nttNNI-1\nI-1\nI0\n"),
        dtype(b"S'f8'\n", b"I3\nS'<'\nN(S'a'\nt}I-1\nI-1\nI0\n"),
        dtype(b"S'f8'\n", b"I3\nS'x'\nNNNI-1\nI-1\nI0\n"),
        dtype(b"S'f8'\n", b"I3\n"),
        # Numbers and arrays whose bytes are too few, too many, or no bytes.
        *(
            b"cnumpy._core.multiarray\nscalar\n(" + FLOAT + raw + b"tR"
            for raw in (b"S'1234567'\n", b"S'1234567812345678'\n", b"I5\n", b"N", b"")
        ),
        b"cnumpy._core.multiarray\nscalar\n(I5\nS'12345678'\ntR",
        *(
            ARRAY + b"I1\n" + shape + FLOAT + b"I00\n" + raw + b"tb"
            for shape, raw in [
                (b"(I2\nt", b"S'12345678'\n"),
                (b"(I-1\nt", b"S'12345678'\n"),
                (b"(I99999999999\nI99999999999\nt", b"S''\n"),
                (b"I1\n", b"S'12345678'\n"),
                (b"(I1\nt", b"]"),
                (b"(S'1'\nt", b"S'12345678'\n"),
            ]
        ),
        ARRAY + b"I1\n(I1\ntNI00\nS'12345678'\ntb",
        ARRAY + b"tb",
        # Another class, a direct call, and a new object past its constructor.
        b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR",
        b"cnumpy\nndarray\n(I99999999\ntR",
        b"\x80\x02cnumpy\nndarray\nI99999999\n\x85\x81",
        # A memory of its own that is larger than the machine's.
        b"\x80\x04Nr\xff\xff\xff\x3f",
    ],
)
def test_what_was_crafted_is_refused(content: bytes) -> None:
    with pytest.raises(DataError) as raised:
        found = load(content + b".")
        np.asarray(getattr(found, "numbers", found))  # pragma: no cover - nothing comes back
    assert str(raised.value).endswith(".")


@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=6),
)
@settings(max_examples=3000)
def test_flipped_bits(whole: bytes, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(whole)
    # Most bytes are pixels; the interesting ones lie at both ends.
    places = [*range(min(300, len(whole))), *range(max(0, len(whole) - 200), len(whole))]
    for place, bits in flips:
        damaged[places[place % len(places)]] ^= bits
    check(bytes(damaged))


WORDS = [
    *(f"c{module}\n{name}\n".encode() for module, name in EVERYTHING),
    *(b"(", b")", b"t", b"R", b"b", b"\x81", b"l", b"d", b"]", b"}", b"s", b"a", b"0", b"1", b"2"),
    *(
        b"N",
        b"I1\n",
        b"I-1\n",
        b"S'f8'\n",
        b"S'<'\n",
        b"S'12345678'\n",
        b"U\x02O8",
        b"\x85",
        b"\x86",
    ),
    *(b"p0\n", b"g0\n", b"\x88", b"K\x05", b"e", b"u", b"\x90", b"\x91", b"\x8f", b"\x93", b"\x94"),
    FLOAT,
    PLAIN_STATE,
    ARRAY,
]


@given(st.lists(st.sampled_from(WORDS), max_size=14))
@settings(max_examples=3000)
def test_programs_of_everything_that_is_allowed(words: list[bytes]) -> None:
    check(b"".join(words) + b".")


def check(content: bytes) -> None:
    """Plain data comes out, or one sentence."""
    try:
        found = load(content)
    except DataError as error:
        assert str(error)[-1] == "."
    else:
        assert not isinstance(found, np.ndarray) or not found.dtype.hasobject


def test_crafted_files_of_both_readers(tmp_path: Path) -> None:
    attack = b"(" + dtype(b"S'O8'\n", PLAIN_STATE) + b"l."
    archive = tmp_path / "images.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("batch")
        member.size = len(attack)
        tar.addfile(member, io.BytesIO(attack))
    with pytest.raises(DataError, match="numbers of the type 'O8'"):
        image_archives.cifar_python(archive, ["batch"], "labels")
    nats = tmp_path / "000000.pickle.pbz2"
    nats.write_bytes(bz2.compress(attack))
    with pytest.raises(DataError, match="numbers of the type 'O8'"):
        nb201_runs._load_nats(nats)

"""Fetching: nothing that was not checked is ever handed on, and every failure says what to do."""

import contextlib
import hashlib
import http.server
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.core.errors import DataError, HarnessError
from harness.sources import fetch as download
from harness.sources.catalogue import Source, sources
from harness.sources.catalogue import add as add_source

CONTENT = bytes(range(256)) * 40
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT, well or in a way that the path asks for."""

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                while True:
                    self.wfile.write(CONTENT)
        body = {"/short": CONTENT[:100], "/wrong": CONTENT[::-1]}.get(self.path, CONTENT)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) if self.path == "/cut" else len(body)))
        self.end_headers()
        self.wfile.write(body[: len(CONTENT) // 2] if self.path == "/cut" else body)

    def log_message(self, *_: object) -> None:
        """Keeps the tests' output clean."""


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.requests = []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()


@pytest.fixture
def add(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Registers a source at a path of the server, in an empty data folder without a mirror."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)

    def register(served: str = "/good", **changes: object) -> Source:
        fields = {"address": f"http://127.0.0.1:{server.server_port}{served}", "sha256": SHA}
        entry = Source("s", "MIT", "bytes", **(fields | {"bytes": len(CONTENT)} | changes))
        monkeypatch.setattr(download, "source", lambda _: entry)
        return entry

    return register


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_downloads_once_into_the_cache(add, server, tmp_path: Path) -> None:
    entry = add()
    path = download.fetch("s")
    assert path == tmp_path / "data/cache" / entry.place
    assert path.read_bytes() == CONTENT
    assert download.fetch("s") == path
    assert server.requests == ["/good"]
    assert _files(tmp_path) == [path]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/short", "truncated.*100 bytes where 10,240"),
        ("/wrong", "sha256 is .* is expected"),
        ("/cut", "could not be downloaded.*HARNESS_MIRROR"),
        ("/gone", "404.*HARNESS_MIRROR"),
    ],
)
def test_a_bad_download_leaves_nothing(add, tmp_path: Path, path: str, message: str) -> None:
    add(path)
    with pytest.raises(DataError, match=message) as caught:
        download.fetch("s")
    assert "\n" not in str(caught.value)
    assert _files(tmp_path) == []


def test_too_many_bytes_and_a_wrong_size_alone_are_noticed(add) -> None:
    add(bytes=100)
    with pytest.raises(DataError, match=r"another file: it goes on past the 100 bytes"):
        download.fetch("s")


def test_no_network_names_address_place_and_alternatives(add, server) -> None:
    entry = add(address="http://127.0.0.1:1/x/file.zip")
    with pytest.raises(DataError) as caught:
        download.fetch("s")
    for part in (entry.address, "cache/127.0.0.1_1/x/file.zip", "HARNESS_MIRROR", "network"):
        assert part in str(caught.value)
    assert server.requests == []


def test_a_download_that_never_ends_is_cut_off(add, tmp_path: Path) -> None:
    add("/endless")
    with pytest.raises(DataError, match=r"goes on past the 10,240 bytes.* Place the right file"):
        download.fetch("s")
    assert _files(tmp_path) == []


def test_size_and_address_are_told_and_nothing_on_the_standard_output(
    add, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = add()
    download.fetch("s")
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Downloading good (10 kB) from {entry.address}" in err


def test_a_refused_download_says_what_would_help(add, server, tmp_path: Path) -> None:
    entry = add()
    with pytest.raises(DataError, match=r"\(10 kB\) is not here, and inputs\.download=false"):
        download.fetch("s", download=False)
    assert server.requests == []
    place = tmp_path / "data/cache" / entry.place
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert download.fetch("s", download=False) == place


@pytest.mark.parametrize("damage", [CONTENT[:50], CONTENT[::-1], b""])
def test_a_damaged_cache_is_fetched_again_and_reported(
    add, server, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    add()
    path = download.fetch("s")
    path.write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        assert download.fetch("s").read_bytes() == CONTENT
    assert len(server.requests) == 2
    assert "downloaded again" in caplog.text


def test_the_mirror_comes_first_and_is_checked(
    add, server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = add()
    mirrored = tmp_path / "mirror" / entry.place
    mirrored.parent.mkdir(parents=True)
    mirrored.write_bytes(CONTENT)
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "mirror"))
    assert download.fetch("s") == mirrored
    for damage in (CONTENT[:-1], CONTENT[::-1]):
        mirrored.write_bytes(damage)
        with pytest.raises(DataError, match="in HARNESS_MIRROR"):
            download.fetch("s")
    assert server.requests == []  # a bad mirror is never papered over from the network
    mirrored.unlink()
    assert download.fetch("s").read_bytes() == CONTENT
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="not a folder"):
        download.fetch("s")


def test_files_placed_by_hand(add, tmp_path: Path) -> None:
    md5 = hashlib.md5(CONTENT).hexdigest()
    add(address="", page="https://example.org/ask", path="a/b", sha256="", md5=md5, bytes=None)
    with pytest.raises(
        DataError, match=r"https://example\.org/ask and place it at .*data/cache/a/b"
    ):
        download.fetch("s")
    place = tmp_path / "data/cache/a/b"
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert download.fetch("s") == place
    place.write_bytes(CONTENT[1:])
    with pytest.raises(DataError, match=r"md5 is .*again"):
        download.fetch("s")


def test_an_unwritable_folder_says_which_variable_helps(
    add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "file"))
    with pytest.raises(HarnessError, match="HARNESS_DATA"):
        download.fetch("s")


def test_a_source_of_a_plug_in_is_like_ours_and_complete() -> None:
    with pytest.raises(HarnessError, match="either an address or a page and a path"):
        Source("mine", "MIT", "Bytes.", page="https://example.org")
    with pytest.raises(HarnessError, match="an address but no sha256"):
        Source("mine", "MIT", "Bytes.", address="https://example.org/a", md5="ab" * 16)
    with pytest.raises(HarnessError, match="'nbsz_nb201' is registered twice"):
        add_source(Source("nbsz_nb201", "MIT", "Bytes.", page="p", path="a/b"))


def test_every_recorded_source_is_complete() -> None:
    for entry in sources.values():
        assert entry.licence and entry.meaning.endswith("."), entry.name
        if not entry.digest:
            assert "without a published checksum" in entry.meaning, entry.name
            with pytest.raises(DataError, match=r"No checksum of .* truth\.path="):
                download.fetch(entry.name)
            continue
        assert bool(entry.sha256) != bool(entry.md5), entry.name
        assert len(entry.digest) == {"sha256": 64, "md5": 32}[entry.algorithm]
        assert int(entry.digest, 16)
        if entry.address:
            assert entry.sha256 and entry.bytes, entry.name
            parts = urlsplit(entry.address)
            # SVHN's own address has been http for ever; the checksum holds either way.
            assert parts.scheme == "https" or parts.netloc == "ufldl.stanford.edu"
            if parts.netloc.startswith("raw."):  # owner/repository/commit/path
                commit = parts.path.split("/")[3]
                assert len(commit) == 40
                assert int(commit, 16)
    places = [entry.place for entry in sources.values()]
    assert len(set(places)) == len(places)


def test_unknown_source_suggests_the_nearest() -> None:
    with pytest.raises(HarnessError, match="Did you mean 'cifar10_binary'"):
        download.fetch("cifar10_binaries")


@pytest.mark.mirror
def test_every_file_of_the_mirror_is_the_recorded_one() -> None:
    root = Path(os.environ["HARNESS_MIRROR"])
    present = [entry.name for entry in sources.values() if (root / entry.place).is_file()]
    assert len(present) >= 11
    for name in present:
        assert download.fetch(name).is_file()

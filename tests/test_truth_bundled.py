"""The tables in the package: what they are made of, what may be in it, what it costs."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from harness import truth
from harness.core.errors import DataError
from harness.sources.catalogue import source
from harness.sources.places import checksum
from harness.spaces import nb101_table
from harness.truth import bundled, nb201_targets, records

FREE = {"MIT", "Apache-2.0", "ISC", "CC-BY-4.0"}


@pytest.mark.mirror
@pytest.mark.parametrize("name", bundled.recipes.names())
def test_a_table_is_what_its_recipe_makes(name: str) -> None:
    # Versions of pandas differ in the last digit of a mean.
    made = bundled.recipes.get(name)()
    pd.testing.assert_frame_equal(bundled.read(name), made, rtol=1e-15, atol=0)


@pytest.mark.parametrize("folder", [bundled.FOLDER, nb101_table.FILE.parent])
def test_every_table_has_its_checksum(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[1])
    known = {name: digest for digest, name in map(str.split, lines)}
    assert known == {path.name: checksum(path) for path in folder.glob("[!S]*")}


def test_damaged_tables_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bit flipped where the file has no checksum of its own."""
    name = "nb301_cifar10_suite_zero"
    for place, path in enumerate((bundled.path(name), nb101_table.FILE)):
        folder = tmp_path / str(place)
        folder.mkdir()
        shutil.copy(path.with_name("SHA256SUMS"), folder)
        damaged = bytearray(path.read_bytes())
        damaged[-300] ^= 1
        (folder / path.name).write_bytes(damaged)
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "0")
    monkeypatch.setattr(nb101_table, "FILE", tmp_path / "1" / nb101_table.FILE.name)
    with pytest.raises(DataError, match=r"damaged in this installation .*is another"):
        bundled.read(name)
    with pytest.raises(DataError, match=r"damaged in this installation .*is another"):
        nb101_table.codes.__wrapped__()


def test_licences_allow_what_is_bundled() -> None:
    sources = {name for one in records.records.values() if one.bundled for name in one.info.sources}
    sources |= {table.source for tables in nb201_targets.TABLES.values() for table in tables}
    assert {source(name).licence for name in sources} <= FREE
    notice = (Path(__file__).parent.parent / "NOTICE").read_text(encoding="utf-8")
    for name in sources:
        assert source(name).address in notice


def test_every_benchmark_works_without_files(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    for one in records.records.values():
        if one.bundled:
            info = one.info
            table = truth.load(info.space, info.task, info.variant)
            assert len(table) == info.n
            assert table.key.is_monotonic_increasing
    defaults = [one for one in records.records.values() if one.default]
    fetched = {one.info.space for one in defaults if not one.bundled and one.info.sources}
    assert fetched == {"darts_swap", "darts_swap_c1"}  # no licence is stated
    assert list(tmp_path.iterdir()) == []


def test_tables_are_small() -> None:
    files = [nb101_table.FILE, *bundled.FOLDER.iterdir()]
    assert sum(file.stat().st_size for file in files) < 4 << 20


def test_a_damaged_table_is_refused(tmp_path, monkeypatch) -> None:
    name = "nb301_cifar10_suite_zero"
    content = bytearray(bundled.path(name).read_bytes())
    content[len(content) // 2] ^= 1
    monkeypatch.setattr(bundled, "FOLDER", tmp_path)
    with pytest.raises(DataError, match="missing or damaged"):
        bundled.read(name)
    bundled.path(name).write_bytes(content)
    with pytest.raises(DataError, match="reinstall"):
        bundled.read(name)

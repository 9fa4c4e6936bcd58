"""What is committed under ``results/`` is whole, small, and nowhere stale."""

from pathlib import Path

import pytest

from harness.results.folder import checked, read_record
from harness.sources.places import checksum

RESULTS = Path(__file__).parent.parent / "results"
LOCAL = {"demo", "smoke", "report"}
FILES = [
    path
    for path in sorted(RESULTS.rglob("*"))
    if path.is_file()
    and not any(part in LOCAL or part.startswith(".") for part in path.relative_to(RESULTS).parts)
]
FOLDERS = [path.parent for path in FILES if path.name == "run.json"]


def test_only_tables_and_pictures_are_kept() -> None:
    assert {path.suffix for path in FILES} <= {".csv", ".parquet", ".png", ".json", ".md"}
    assert sum(path.stat().st_size for path in FILES) < 40e6


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(RESULTS).as_posix())
def test_every_result_is_whole_and_says_where_it_comes_from(folder: Path) -> None:
    record = read_record(folder)
    assert record["commit"]
    present = {path.relative_to(folder).as_posix() for path in FILES if folder in path.parents}
    assert present == {*record["files"], "run.json"}
    for name in record["files"]:
        checked(folder, name)


def test_nothing_rests_on_results_that_have_changed() -> None:
    for folder in FOLDERS:
        record = read_record(folder)
        for part in (record, *record.get("artefacts", {}).values()):
            for name, digest in part.get("results", {}).items():
                assert checksum(RESULTS / name / "run.json") == digest, (folder, name)

"""Stored files that are truncated, replaced, or of another version: one sentence each."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from test_report import write_report, write_result

from harness.core.errors import DataError
from harness.results.finished import Result
from harness.results.folder import read_record
from harness.sources.places import checksum

FILES = ("scores.parquet", "summary.csv", "correlations.csv")


@pytest.fixture
def result(tmp_path: Path) -> Path:
    write_result(tmp_path)
    return tmp_path / "main" / "nb201" / "cifar10"


def seal(folder: Path) -> None:
    """Gives the record the checksums of the files as they are now."""
    record = json.loads((folder / "run.json").read_text())
    record["files"] = {name: checksum(folder / name) for name in record["files"]}
    (folder / "run.json").write_text(json.dumps(record))


def read(folder: Path) -> None:
    result = Result("nb201", "cifar10", folder)
    assert not result.scores.empty and not result.summary.empty and not result.correlations.empty


@pytest.mark.parametrize("name", FILES)
def test_flipped_bits_and_truncated_files_are_seen(result: Path, name: str) -> None:
    read(result)
    whole, draw = (result / name).read_bytes(), random.Random(0)
    for _ in range(100):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        cut = whole[: draw.randrange(len(whole))]
        for content in (bytes(damaged), cut):
            (result / name).write_bytes(content)
            with pytest.raises(DataError, match="changed or damaged"):
                read(result)
    (result / name).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        read(result)


def doubled(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.head(1)])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("summary.csv", doubled, "does not have one row for each proxy"),
        ("summary.csv", lambda table: table.tail(1), "does not have one row for each proxy"),
        ("summary.csv", lambda table: table.drop(columns="proxy"), "lacks the column 'proxy'"),
        ("correlations.csv", lambda table: table[["spearman"]], "lacks the column 'proxy'"),
        ("scores.parquet", lambda table: table[["key"]], "lacks the column 'proxy'"),
    ],
)
def test_tables_with_other_rows_or_columns(
    result: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    file = result / name
    if file.suffix == ".csv":
        change(pd.read_csv(file)).to_csv(file, index=False)
    else:
        change(pd.read_parquet(file)).to_parquet(file, index=False)
    seal(result)
    with pytest.raises(DataError, match=message):
        read(result)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\0" * 100, b"a,b\n1\n2,3,4\n"])
@pytest.mark.parametrize("name", FILES)
def test_files_that_are_something_else(result: Path, name: str, content: bytes) -> None:
    (result / name).write_bytes(content)
    seal(result)
    with pytest.raises(DataError):
        read(result)


RECORDS = [
    "", "null", "[]", "3", "{", '"x"', "{}", "\x00", "[" * 100_000, '{"files": []}',
    '{"files": null}', '{"files": {"scores.parquet": 3}}', '{"truth": []}', '{"inputs": 1}',
]  # fmt: skip


@pytest.mark.parametrize("content", RECORDS, ids=range(len(RECORDS)))
def test_odd_records(result: Path, content: str) -> None:
    (result / "run.json").write_text(content)
    with pytest.raises(DataError) as raised:
        write_report(result.parents[2])
    assert str(raised.value)[-1] == "."


@pytest.mark.parametrize("name", ["config", "truth", "inputs", "versions", "computed", "commit"])
@pytest.mark.parametrize("value", [None, 3, "x", [], {}, [1], {"a": 1}])
def test_records_with_odd_entries(result: Path, name: str, value: object) -> None:
    """The report is made, or says what the record lacks."""
    record = json.loads((result / "run.json").read_text())
    (result / "run.json").write_text(json.dumps(record | {name: value}))
    try:
        write_report(result.parents[2])
    except DataError as error:
        assert "run.json" in str(error) and str(error)[-1] == "."


def test_an_entry_that_is_not_there_is_damage(result: Path) -> None:
    with pytest.raises(DataError, match="lacks the entry 'nothing'"):
        read_record(result)["truth"]["nothing"]

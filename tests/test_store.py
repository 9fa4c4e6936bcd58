"""The score table on disk: nothing finished is lost or done twice, nothing half done is read."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pyarrow as pa
import pytest
from commands import RESULT, SHARDS, call, start, write_truth

from harness.core.errors import DataError, HarnessError
from harness.core.files import atomic, make_writable
from harness.scoring import table as of_tables
from harness.scoring.shard import IDENTITY, score_table
from harness.scoring.table import CACHE, ShardFolder

SCHEMA = pa.schema([("key", pa.string()), ("value", pa.float64()), ("seconds", pa.float64())])


def store(folder: Path) -> ShardFolder:
    return ShardFolder(folder, SCHEMA, ["key"])


def rows(*keys: str, seconds: float = 0.5) -> pd.DataFrame:
    values = [float("nan") if key == "b" else len(key) / 3 for key in keys]
    return pd.DataFrame({"key": keys, "value": values, "seconds": seconds})


def test_shards_add_up_and_keep_every_digit(tmp_path: Path) -> None:
    table = store(tmp_path / "shards")
    assert table.read().empty
    table.write(["first"], rows("a", "b"))
    table.write(["second"], rows("ccc"))
    read = table.read().sort_values("key", ignore_index=True)
    pd.testing.assert_frame_equal(read, rows("a", "b", "ccc"), check_exact=True)


def test_the_same_work_is_the_same_file(tmp_path: Path) -> None:
    table = store(tmp_path)
    first = table.write(["seed", 0, ("a",)], rows("a", seconds=1))
    assert table.write(["seed", 0, ("a",)], rows("a", seconds=2)) == first
    assert table.write(["seed", 1, ("a",)], rows("b")) != first
    assert table.write(["seed0", ("a",)], rows("c")) != first
    assert sorted(table.read().key) == ["a", "b", "c"]


def test_rows_that_two_shards_hold_count_once(tmp_path: Path) -> None:
    table = store(tmp_path)
    table.write(["one"], rows("a", "b", seconds=1))
    table.write(["other"], rows("b", "c", seconds=2))
    assert sorted(table.read().key) == ["a", "b", "c"]


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_what_a_killed_writer_left_is_not_read(tmp_path: Path, share: float) -> None:
    """A writer that is killed cannot clean up, so the name alone must tell that it is unfinished"""
    table = store(tmp_path)
    content = table.write(["finished"], rows("a")).read_bytes()
    with atomic(tmp_path / "shard.parquet") as temporary:
        temporary.touch()
    (tmp_path / "shard.parquet").unlink()
    temporary.write_bytes(content[: int(share * len(content))])
    (tmp_path / "notes.txt").touch()
    assert list(table.read().key) == ["a"]
    assert [path.name for path in table.folder.glob(".*")] == [temporary.name]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic(tmp_path / "table.csv") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept.csv").write_text("earlier")
    with pytest.raises(RuntimeError), atomic(tmp_path / "kept.csv") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "kept.csv").read_text() == "earlier"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match=r"Cannot write .*file/below/.*Not a directory"):
        store(tmp_path / "file" / "below").write(["work"], rows("a"))
    with pytest.raises(HarnessError, match=r"Cannot write .*file/below.*Not a directory"):
        make_writable(tmp_path / "file" / "below")
    make_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_no_flipped_bit_changes_a_score(tmp_path: Path) -> None:
    """Bytes that nobody reads may flip unseen; every other flip is refused with the file's name."""
    table = store(tmp_path)
    shard = table.write(["work"], rows(*(f"key {i}" for i in range(10))))
    intact, raw = table.read(), shard.read_bytes()
    refused = 0
    for position in range(0, len(raw), 3):
        flipped = bytearray(raw)
        flipped[position] ^= 1 << position % 8
        shard.write_bytes(flipped)
        try:
            pd.testing.assert_frame_equal(table.read(), intact, check_exact=True)
        except DataError as error:
            assert str(shard) in str(error)
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("length", [0, 1, 4, 100, -9, -1])
def test_a_truncated_shard_is_named(tmp_path: Path, length: int) -> None:
    table = store(tmp_path / "space=nb201")
    shard = table.write(["work"], rows("a", "b"))
    shard.write_bytes(shard.read_bytes()[:length])
    with pytest.raises(DataError) as error:
        table.read()
    assert str(shard) in str(error.value)
    assert "delete that file" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"other": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"other\.parquet"):
        store(tmp_path).read()
    (tmp_path / "other.parquet").unlink()
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(DataError, match=r"folder\.parquet"):
        store(tmp_path).read()


def test_readers_never_see_a_shard_that_is_being_written(tmp_path: Path) -> None:
    table = store(tmp_path)
    table.write(["work"], rows("a", "bb", "ccc"))
    keys = [f"key {i}" for i in range(500)]

    def write(repeat: int) -> None:
        table.write(["work"], rows(*keys, seconds=repeat))
        table.write(["own", repeat], rows(f"own {repeat}"))

    def read(_: int) -> None:
        shards = table.read().groupby("seconds").size()
        assert (shards.drop(0.5, errors="ignore") == 500).all()

    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(write, repeat) for repeat in range(100, 140)]
        reading = [pool.submit(read, repeat) for repeat in range(40)]
        for future in writing + reading:
            future.result()
    assert len(table.read()) == 540
    assert len(list(tmp_path.iterdir())) == 41


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShardFolder:
    """Four shards whose rows are in the cache too."""
    monkeypatch.setattr(of_tables, "CACHE_AFTER", 4)
    table = store(tmp_path)
    for key in "abcd":
        table.write([key], rows(key))
    assert not (tmp_path / CACHE).exists()
    assert sorted(table.read().key) == [*"abcd"]
    assert (tmp_path / CACHE).exists()
    return table


def opened(table: ShardFolder) -> tuple[list[str], int]:
    """Returns the keys that a read finds and how many shards it opens."""
    with patch.object(table, "_read_shard", wraps=table._read_shard) as reading:
        return sorted(table.read().key), reading.call_count


def test_shards_in_the_cache_are_not_opened_again(cached: ShardFolder) -> None:
    assert opened(cached) == ([*"abcd"], 0)
    for count, key in enumerate("efg", start=1):
        cached.write([key], rows(key))
        assert opened(cached) == ([*"abcdefg"][: 4 + count], count)
    cached.write(["h"], rows("h"))
    assert opened(cached) == ([*"abcdefgh"], 4)
    assert opened(cached) == ([*"abcdefgh"], 0)
    plain = pd.concat(pd.read_parquet(path) for path in sorted(cached.folder.glob("*.parquet")))
    both = (frame.sort_values("key", ignore_index=True) for frame in (cached.read(), plain))
    pd.testing.assert_frame_equal(*both, check_exact=True)


def test_a_shard_that_was_deleted_is_gone_from_the_cache_too(cached: ShardFolder) -> None:
    cached.write(["b"], rows("b")).unlink()
    assert opened(cached) == ([*"acd"], 3)
    cached.write(["b"], rows("b"))
    assert sorted(cached.read().key) == [*"abcd"]


def test_a_shard_that_was_written_anew_is_read_again(cached: ShardFolder) -> None:
    """A failure that is tried again has the name of the first try."""
    cached.write(["b"], rows("b", seconds=7))
    assert opened(cached) == ([*"abcd"], 4)
    assert cached.read().set_index("key").seconds.to_dict() == {
        "a": 0.5,
        "b": 7,
        "c": 0.5,
        "d": 0.5,
    }
    assert opened(cached) == ([*"abcd"], 0)


def test_a_broken_cache_costs_time_only(cached: ShardFolder) -> None:
    intact, cache = cached.read(), cached.folder / CACHE
    raw = cache.read_bytes()
    broken = [raw[:length] for length in (0, 1, 4, 100, len(raw) // 2, -9, -1)]
    for position in range(0, len(raw), 7):
        flipped = bytearray(raw)
        flipped[position] ^= 1 << position % 8
        broken.append(bytes(flipped))
    for content in broken:
        cache.write_bytes(content)
        read = cached.read()
        pd.testing.assert_frame_equal(read.sort_values("key"), intact.sort_values("key"))
    pd.DataFrame({"other": [1]}).to_parquet(cache)
    assert sorted(cached.read().key) == [*"abcd"]


def test_readers_that_cache_lose_nothing_that_others_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_tables, "CACHE_AFTER", 2)
    finished: list[str] = []

    def write(number: int) -> None:
        store(tmp_path).write([number], rows(f"key {number}"))
        finished.append(f"key {number}")

    def read(_: int) -> None:
        before = set(finished)
        assert before <= set(store(tmp_path).read().key)

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(*job) for number in range(60) for job in ((write, number), (read, 0))]
        for future in work:
            future.result()
    assert sorted(store(tmp_path).read().key) == sorted(finished)
    assert len(finished) == 60
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


# Whole runs of the command line, killed in the middle.

WORK = ["n=3", "seed=0..7", "proxies=[params,synflow,zen]"]
EXECUTORS = {
    "local": ["executor=local"],
    "processes": ["executor=processes", "executor.workers=2"],
}


def shards(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Returns name -> (modification time, content) of the finished shards."""
    paths = (folder / SHARDS).glob("[!.]*.parquet")
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def assert_same_tables(result: Path, expected: Path) -> None:
    """All but the seconds and who computed it is equal, to the last digit."""
    for name in ("correlations.csv", "summary.csv"):
        assert (result / name).read_bytes() == (expected / name).read_bytes()
    ours, theirs = (
        pd.read_parquet(folder / "scores.parquet").drop(columns=["seconds", "machine"])
        for folder in (result, expected)
    )
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    write_truth(folder)
    assert call(folder, *WORK, *EXECUTORS["local"]) == 0
    return folder / RESULT


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_killed_run_goes_on_where_it_was(
    tmp_path: Path, uninterrupted: Path, executor: str
) -> None:
    write_truth(tmp_path)
    killed = start(tmp_path, *WORK, *EXECUTORS[executor])
    while len(shards(tmp_path)) < 2:
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)  # returns when the last worker has closed the pipes
    before = shards(tmp_path)
    assert 2 <= len(before) < 8
    assert not (tmp_path / RESULT).exists()

    assert call(tmp_path, *WORK, *EXECUTORS["local"]) == 0
    after = shards(tmp_path)
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    stored = pd.concat(pd.read_parquet(tmp_path / SHARDS / name) for name in after)
    assert not stored.duplicated(IDENTITY).any()
    assert len(stored) == 8 * 3 * 3
    assert_same_tables(tmp_path / RESULT, uninterrupted)


def test_two_runs_at_once_share_a_folder(tmp_path: Path, uninterrupted: Path) -> None:
    write_truth(tmp_path)
    pair = [start(tmp_path, *WORK, *EXECUTORS["local"]) for _ in range(2)]
    for run in pair:
        out, err = run.communicate(timeout=300)
        assert run.returncode == 0, out + err
    table = score_table(tmp_path / SHARDS).read()
    assert len(table) == 8 * 3 * 3
    assert not table.duplicated(IDENTITY).any()
    assert_same_tables(tmp_path / RESULT, uninterrupted)
    assert not list((tmp_path / RESULT.parent).glob("*/.*"))

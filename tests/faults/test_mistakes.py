"""Mistakes made by a generator: any key of any job with any value of the wrong kind.

What is drawn either makes a record whose values are all of their type and finite, or is refused
with one sentence.
"""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import call, write_truth
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.command_line.compose import from_mapping
from harness.command_line.keys import known_keys
from harness.core.errors import HarnessError, one_line
from harness.jobs.job import jobs

KEYS = sorted({(job.name, key) for job in jobs.values() for key in known_keys(job)})
LARGEST = 10**8
HANGS_AFTER = 120  # seconds

numbers = st.sampled_from(
    [0, 1, 2, -1, 0.5, -0.5, 1e-300, 1e308, -1e308, 10**9, 10**12, -(10**12), 10**40, 2**31, 2**63]
) | st.sampled_from([math.nan, math.inf, -math.inf])
texts = st.sampled_from(
    ["", " ", "x", "null", "none", "nan", "1e999", "a" * 300, "é" * 300, "../..", "/proc/x", "/"]
) | st.sampled_from(["\x1b[31m", "\0", "[", "{", "${seed}", "${nothing}", "1..", "-1..3", "0..10"])
simple = numbers | texts | st.booleans() | st.none()
values = (
    simple | st.lists(simple, max_size=3) | st.dictionaries(st.text(max_size=3), simple, max_size=2)
)


def nested(key: str, value: Any) -> dict[str, Any]:
    """Returns the mapping that ``a.b=value`` composes to."""
    head, _, rest = key.partition(".")
    return {head: nested(rest, value) if rest else value}


def odd_values(record: Any) -> Iterator[str]:
    """Yields the fields of a record, and of those within it, whose numbers nobody can mean."""
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value):
            yield from odd_values(value)
        wild = isinstance(value, (int, float)) and not abs(value) <= LARGEST
        if wild and field.type in ("int", "int | None"):
            yield f"{type(record).__name__}.{field.name}={value}"
        if "Any" not in str(field.type) and isinstance(value, float) and not math.isfinite(value):
            yield f"{type(record).__name__}.{field.name}={value}"


@given(st.sampled_from(KEYS), values)
@settings(max_examples=1500)
def test_every_key_with_any_value(place: tuple[str, str], value: Any) -> None:
    job, key = place
    try:
        config = from_mapping({"job": job, **nested(key, value)})
    except HarnessError as error:
        assert str(error).strip().endswith((".", "?"))
        assert len(one_line(str(error))) < 4000
    else:
        assert list(odd_values(config)) == []
        assert [odd for section in config.sections for odd in odd_values(section)] == []


@contextmanager
def time_limit() -> Iterator[None]:
    """Turns a hang into a failure."""

    def stop(*_: Any) -> None:
        raise AssertionError(f"no answer after {HANGS_AFTER} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(HANGS_AFTER)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


QUICK_JOBS = ["correlate", "score", "list"]
RUNS = {
    "correlate": ["executor=local", "proxies=[params,snip]"],
    "score": ["job=score", "task=digits", "architecture=0", "executor=local", "proxies=[snip]"],
    "list": ["job=list"],
}
lines = st.lists(
    st.tuples(st.sampled_from(KEYS), simple | st.lists(simple, max_size=2)), min_size=1, max_size=2
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mistakes")
    write_truth(made, n=6)
    return made


def written(value: Any) -> str:
    """Returns a value as somebody would type it."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return "null" if value is None else str(value)


def check_line(folder: Path, job: str, line: list[tuple[tuple[str, str], Any]]) -> None:
    """A command line is done, or refused; 70 would be a mistake of ours."""
    # What would leave the folder of the test, or be a job of hours, is composed but not run above.
    given = [
        f"{key}={written(value)}"
        for (_, key), value in line
        if key not in {"job", "n", "results"} and not key.startswith("executor")
        if "\0" not in written(value)  # of which no command line can hold one
    ]
    with time_limit():
        assert call(folder, *RUNS[job], *given) in (0, 1, 3), given


@given(st.sampled_from(QUICK_JOBS), lines)
@settings(max_examples=25)
def test_command_lines(folder: Path, job: str, line: list[Any]) -> None:
    check_line(folder, job, line)


@pytest.mark.torture
@given(st.sampled_from(QUICK_JOBS), lines)
@settings(max_examples=1000, derandomize=False)
def test_a_thousand_command_lines(folder: Path, job: str, line: list[Any]) -> None:
    check_line(folder, job, line)

"""Committed results of the study are what ``make study`` makes, as far as it has come."""

from pathlib import Path

import pytest
from test_config import composed

from benchmarks.gpu.command_lines import of_target
from harness.command_line.arguments import readable
from harness.command_line.choices import register
from harness.results.folder import read_record
from harness.results.record import asked
from harness.scoring.scope import Scope

register()
RESULTS = Path(__file__).parent.parent / "results" / "figure4"
CHOICES = ("inputs", "device", "channels_last", "batch_size", "sample", "replace", "swap")


def _columns() -> dict[tuple[str, str], list[list[str]]]:
    columns: dict[tuple[str, str], list[list[str]]] = {}
    for line in of_target("study"):
        if not any(word.startswith("job=") for word in line):
            config = composed(*readable(line))
            columns.setdefault((config.space, config.task), []).append(line)
    return columns


COLUMNS = _columns()


def test_the_study_has_thirteen_columns_of_a_thousand() -> None:
    assert len(COLUMNS) == 13
    for lines in COLUMNS.values():
        for line in lines:
            assert composed(*readable(line)).of(Scope).n == 1000


@pytest.mark.parametrize("column", COLUMNS, ids="/".join)
def test_a_column_is_what_its_line_makes(column: tuple[str, str]) -> None:
    folder = RESULTS.joinpath(*column)
    if not folder.exists():
        pytest.skip("not scored yet")
    record = read_record(folder)
    wanted = [composed(*readable(line)) for line in COLUMNS[column]]
    assert set(record["resolved"]["seeds"]) in [set(config.seeds) for config in wanted]
    assert record["resolved"]["n"] <= 1000  # the draw of fewer is the beginning of the same draw
    values = asked(wanted[0])
    for key in CHOICES:
        assert record["config"][key] == values[key], key
    assert set(record["resolved"]["proxies"]) >= {"params", "swap", "reg_swap", "zico"}

"""Committed results of the study and of tables 4 to 6 are what their targets make, so far."""

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
RESULTS = Path(__file__).parent.parent / "results"
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
    folder = RESULTS.joinpath("figure4", *column)
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


ABLATIONS = [*of_target("ablation-scores"), *of_target("ablation-labelled-scores")]


def test_tables_4_to_6_have_five_groups_of_a_thousand() -> None:
    configs = [composed(*readable(line)) for line in ABLATIONS]
    assert {config.space for config in configs} == {"nb101", "nb201", "nb301"}
    for config in configs:
        assert (config.seeds, config.of(Scope).n) == ([1, 2, 3, 4, 5], 1000)


@pytest.mark.parametrize("line", ABLATIONS, ids=" ".join)
def test_an_ablation_is_what_its_line_makes(line: list[str]) -> None:
    config = composed(*readable(line))
    folder = RESULTS / config.study / config.space / config.task
    if not folder.exists():
        pytest.skip("not scored yet")
    record = read_record(folder)
    if "sample" not in record["config"]:
        pytest.skip("scored before there were several ways to draw")
    assert record["resolved"]["seeds"] == config.seeds
    assert record["resolved"]["n"] <= 1000
    values = asked(config)
    for key in CHOICES:
        assert record["config"][key] == values[key], key

"""The job: what it leaves behind, and that a run which is killed goes on where it stopped."""

import json
import os
import signal
import time
from functools import partial

import pandas as pd
import pytest
from commands import call, start

from harness.jobs.zero_cost_pt import summarise
from harness.paper import zero_cost_pt_iterations as iterations
from harness.runs import zero_cost_pt
from harness.search import supernets
from harness.search.supernets.nb201 import Nb201Supernet

JOB = [
    *("job=zero_cost_pt", "space=nb201", "inputs=digits", "executor=local"),
    *("search.images=4", "search.iterations=2", "search.validations=2"),
    *("truth=default", "truth.path=null"),
]
RESULT = "results/zero_cost_pt/nb201/digits/nwot-clean-random"


@pytest.fixture
def tiny_supernet(monkeypatch):
    monkeypatch.setitem(supernets.SUPERNETS, "nb201", partial(Nb201Supernet, widths=(4,), cells=1))


def without_times(folder):
    """Reads both tables of a result, without how long anything took."""
    tables = [
        pd.read_csv(folder / RESULT / "found.csv"),
        pd.read_parquet(folder / RESULT / "steps.parquet"),
    ]
    return [t[[c for c in t if not c.startswith("seconds")]] for t in tables]


def assert_same_result(one, other):
    for a, b in zip(without_times(one), without_times(other), strict=True):
        pd.testing.assert_frame_equal(a, b)


def finished_files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("[!.]*.parquet")}


@pytest.mark.usefixtures("tiny_supernet")
def test_a_run_leaves_tables_and_their_provenance(tmp_path):
    assert call(tmp_path, *JOB, "seed=0..1") == 0
    found, steps = without_times(tmp_path)
    assert found.seed.tolist() == [0, 1]
    assert found.perturbations.tolist() == [60, 60]
    assert (found.distinct <= 2).all()
    assert len(steps) == 120
    assert (steps.groupby(["seed", "iteration", "step"]).decided.sum() == 1).all()
    assert set(steps.name) == {
        *("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    }
    lowest = steps.groupby(["seed", "iteration", "step"]).score.transform("min")
    assert (steps.score[steps.decided] == lowest[steps.decided]).all()
    record = json.loads((tmp_path / RESULT / "run.json").read_text())
    assert record["resolved"]["perturbations_per_iteration"] == 30
    assert record["config"]["search"]["order"] == "random"


@pytest.mark.usefixtures("tiny_supernet")
@pytest.mark.parametrize("order", ["random", "global-op-once", "global-edge-iter"])
def test_figure_3_repeats_the_choice_from_what_is_stored(tmp_path, order):
    assert call(tmp_path, *JOB, f"search.order={order}") == 0
    folder = tmp_path / RESULT.replace("random", order)
    (found,) = pd.read_csv(folder / "found.csv").to_dict("records")
    chosen = iterations.chosen(iterations.read(folder), seed=0, n=2, v=2)
    assert chosen == (found["architecture"], found["distinct"])


@pytest.mark.usefixtures("tiny_supernet")
def test_more_iterations_keep_what_is_there_and_other_settings_do_not_mix(tmp_path):
    assert call(tmp_path, *JOB) == 0
    before = finished_files(tmp_path / RESULT / "steps")
    first = without_times(tmp_path)[1]
    assert call(tmp_path, *JOB, "search.iterations=3", "search.validations=1") == 0
    after = finished_files(tmp_path / RESULT / "steps")
    assert before.items() <= after.items()
    assert len(after) == len(before) * 3 / 2
    longer = without_times(tmp_path)[1]
    pd.testing.assert_frame_equal(longer[longer.iteration < 2], first)
    assert call(tmp_path, *JOB, "search.images=5") == 0
    other = without_times(tmp_path)[1]
    assert set(other.protocol).isdisjoint(first.protocol)
    assert len(other) == len(first)


@pytest.mark.usefixtures("tiny_supernet")
def test_an_interrupted_run_continues_within_an_iteration(tmp_path, monkeypatch):
    write, calls = zero_cost_pt.write_step, []

    def interrupted(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == 9:
            raise KeyboardInterrupt
        write(*arguments, **keywords)

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    stopped.mkdir(), whole.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(zero_cost_pt, "write_step", interrupted)
        assert call(stopped, *JOB) != 0
    finished = finished_files(stopped)
    assert len(finished) == 8
    assert call(stopped, *JOB) == 0
    assert call(whole, *JOB) == 0
    assert finished.items() <= finished_files(stopped).items(), "nothing was computed twice"
    assert_same_result(stopped, whole)


def test_a_killed_run_continues(tmp_path):
    """The real supernet, killed without warning."""
    job = [*JOB, "search.iterations=1"]
    process = start(tmp_path, *job)
    try:
        steps = tmp_path / RESULT / "steps"
        limit = time.monotonic() + 120
        while not finished_files(steps) and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finished = finished_files(steps)
    assert 0 < len(finished) < 6
    assert not (tmp_path / RESULT / "found.csv").exists()
    assert call(tmp_path, *job) == 0
    assert finished.items() <= finished_files(steps).items()
    assert len(finished_files(steps)) == 6


@pytest.mark.usefixtures("tiny_supernet")
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("space=nb101", "Unknown space with a supernet 'nb101'"),
        ("search.proxy=nwto", "Did you mean 'nwot'"),
        ("search.order=sorted", "search.order"),
        ("search.images=4000", "batch size can be at most"),
    ],
)
def test_mistakes_are_told_before_any_work(tmp_path, capsys, override, message):
    assert call(tmp_path, *JOB, override) == 1
    printed = capsys.readouterr()
    assert message in " ".join((printed.out + printed.err).split())


@pytest.mark.mirror
@pytest.mark.usefixtures("tiny_supernet")
def test_found_cells_are_looked_up_in_the_benchmark(tmp_path):
    """On noise images: which tables are read depends on the task alone."""
    assert call(tmp_path, *JOB, "task=cifar10", "inputs=gaussian") == 0
    folder = tmp_path / RESULT.replace("digits", "cifar10")
    found = pd.read_csv(folder / "found.csv").iloc[0]
    assert 5.6 < found.cifar10_error < 91
    assert 1 <= found.cifar10_rank <= 15_625
    assert found.cifar10_runs in (1, 2, 3)
    summary = pd.read_csv(folder / "summary.csv").set_index("task")
    assert summary.error["cifar10"] == pytest.approx(found.cifar10_error)
    assert list(summary.index) == ["cifar10", "cifar100", "imagenet16_120"]


def test_a_summary_pools_the_runs_of_all_searches():
    table = pd.DataFrame(
        {
            "cifar10_error": [6.0, 8.0],
            "cifar10_std": [1.0, float("nan")],
            "cifar10_runs": [3, 1],
            "cifar100_error": [27.0, 29.0],
        }
    )
    rows = summarise(table).set_index("task")
    assert rows.error["cifar10"] == pytest.approx((3 * 6 + 8) / 4)
    assert rows["values"].tolist() == [4, 2]
    assert rows.loc["cifar100"].tolist() == pytest.approx([28.0, 2**0.5, 2])

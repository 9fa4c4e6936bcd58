"""The job: what it leaves behind, what adds up to it, and that a killed run goes on."""

import json
import os
import shutil
import signal
import time
from functools import partial

import pandas as pd
import pytest
from commands import call, start

from harness.core.errors import DataError
from harness.search.supernets import named_supernets
from harness.search.supernets.nb201_supernet import Nb201Supernet
from harness.search.zero_cost_pt import iterations, search_run
from harness.search.zero_cost_pt.stored_searches import COMPARISONS, STEPS, read_searches

JOB = [
    *("job=zero_cost_pt", "space=nb201", "task=digits", "executor=local"),
    *("search.images=4", "search.iterations=2", "search.validations=2"),
]
RESULT = "results/zero_cost_pt/nb201/digits/nwot-clean-random"
WORK = "results/.work"


@pytest.fixture
def tiny_supernet(monkeypatch):
    tiny = partial(Nb201Supernet, widths=(4,), cells=1)
    monkeypatch.setitem(named_supernets.SUPERNETS, "nb201", tiny)


@pytest.fixture
def finished(tiny_supernet, tmp_path):
    """A folder in which seed 0 was searched."""
    assert call(tmp_path, *JOB) == 0
    return tmp_path


def tables(folder):
    """Reads the tables of a result, without how long anything took."""
    found = vars(read_searches(folder / RESULT)).values()
    return [t[[c for c in t if not c.startswith("seconds")]] for t in found]


def assert_equal(ones, others):
    for one, other in zip(ones, others, strict=True):
        pd.testing.assert_frame_equal(one, other)


def files_of_work(folder):
    return {path: path.stat().st_mtime_ns for path in (folder / WORK).rglob("[!.]*.parquet")}


def test_a_run_leaves_tables_and_their_provenance(finished):
    (selected, steps, _), record = tables(finished), finished / RESULT / "run.json"
    assert selected.perturbations.tolist() == [60]
    assert (selected.distinct <= 2).all()
    assert len(steps) == 60
    by_step = steps.groupby(["seed", "iteration", "step"])
    assert (by_step.decided.sum() == 1).all()
    assert set(steps.name) == {
        *("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    }
    lowest = by_step.score.transform("min")
    assert (steps.score[steps.decided] == lowest[steps.decided]).all()
    said = json.loads(record.read_text())
    assert said["resolved"]["perturbations_per_iteration"] == 30
    assert said["conditions"]["images"] == 4
    (machine,) = said["computed"]
    assert machine["device"] == "cpu"
    assert machine["scores"] >= 60
    assert set(said["files"]) == {p.name for p in record.parent.iterdir()} - {"run.json"}


def test_more_seeds_add_up(finished, tmp_path_factory, monkeypatch):
    """The result alone is enough: what it holds is not searched again."""
    at_once, drawn = tmp_path_factory.mktemp("at_once"), set()
    batch = iterations.PerturbationSearch.batch

    def watched(search, stage, seed, *place):
        drawn.add(seed)
        return batch(search, stage, seed, *place)

    monkeypatch.setattr(iterations.PerturbationSearch, "batch", watched)
    shutil.rmtree(finished / WORK)
    assert call(finished, *JOB, "seed=[1,0]") == 0
    assert drawn == {1}
    assert call(at_once, *JOB, "seed=0..1") == 0
    assert_equal(tables(finished), tables(at_once))
    assert json.loads((finished / RESULT / "run.json").read_text())["resolved"]["seeds"] == [0, 1]


def test_other_conditions_are_refused_and_longer_searches_go_on(finished, capsys):
    before, work = tables(finished), files_of_work(finished)
    for other, told in (("images=5", "images=4, now 5"), ("iterations=3", "iterations=2, now 3")):
        assert call(finished, *JOB, f"search.{other}") == 1
        printed = " ".join(capsys.readouterr().err.split())
        assert told in printed
        assert "overwrite=true" in printed
    assert_equal(tables(finished), before)
    assert files_of_work(finished) == work
    assert call(finished, *JOB, "search.iterations=3", "overwrite=true") == 0
    assert work.items() <= files_of_work(finished).items()
    longer = tables(finished)[1]
    pd.testing.assert_frame_equal(longer[longer.iteration < 2], before[1])


@pytest.mark.parametrize("name", [STEPS, COMPARISONS])
def test_a_flipped_bit_is_told(finished, name, capsys):
    path = finished / RESULT / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert call(finished, *JOB, "seed=1") == 1
    assert "restore it or make the result again" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(DataError, match="changed or damaged"):
        read_searches(finished / RESULT)


def test_an_interrupted_run_continues_within_an_iteration(finished, tmp_path_factory, monkeypatch):
    write, calls, stopped = iterations.write_step, [], tmp_path_factory.mktemp("stopped")

    def interrupted(*arguments, **keywords):
        calls.append(arguments)
        if len(calls) == 9:
            raise KeyboardInterrupt
        write(*arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(iterations, "write_step", interrupted)
        assert call(stopped, *JOB) != 0
    kept = files_of_work(stopped)
    assert len(kept) == 8
    assert call(stopped, *JOB) == 0
    assert kept.items() <= files_of_work(stopped).items(), "nothing was computed twice"
    assert_equal(tables(stopped), tables(finished))


def test_a_killed_run_continues(tmp_path):
    """The real supernet, killed without warning."""
    job = [*JOB, "search.iterations=1"]
    process = start(tmp_path, *job)
    try:
        limit = time.monotonic() + 120
        while not files_of_work(tmp_path) and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    kept = files_of_work(tmp_path)
    assert 0 < len(kept) < 6
    assert not (tmp_path / RESULT).exists()
    assert call(tmp_path, *job) == 0
    assert kept.items() <= files_of_work(tmp_path).items()
    assert len(files_of_work(tmp_path)) == 6


@pytest.mark.usefixtures("tiny_supernet")
@pytest.mark.parametrize("lost", ["run_iteration", "run_comparison"])
def test_work_that_is_lost_on_the_way_is_told(tmp_path, capsys, monkeypatch, lost):
    monkeypatch.setattr(search_run, lost, lambda shard: shard.size)
    assert call(tmp_path, *JOB) == 1
    assert "folder that all workers share" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / RESULT).exists()


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
    assert not files_of_work(tmp_path)


@pytest.mark.mirror
@pytest.mark.usefixtures("tiny_supernet")
def test_selected_cells_are_looked_up_in_the_benchmark(tmp_path):
    """On noise images: which tables are read depends on the task alone."""
    assert call(tmp_path, *JOB, "task=cifar10", "inputs=gaussian") == 0
    folder = tmp_path / RESULT.replace("digits", "cifar10")
    selected = read_searches(folder).selected.iloc[0]
    assert 5.6 < selected.cifar10_error < 91
    assert 1 <= selected.cifar10_rank <= 15_625
    assert selected.cifar10_runs in (1, 2, 3)
    summary = pd.read_csv(folder / "summary.csv").set_index("task")
    assert summary.error["cifar10"] == pytest.approx(selected.cifar10_error)
    assert list(summary.index) == ["cifar10", "cifar100", "imagenet16_120"]

"""The command line from end to end: what it writes, and how it answers mistakes."""

import json
import math
import os
import re
import shutil
import signal
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from commands import RESULT, SHARDS, call, start, write_truth
from scipy import stats

from harness.command_line.arguments import readable
from harness.core.errors import HarnessError
from harness.core.files import atomic
from harness.core.sections import Settings
from harness.executors.executor import executors
from harness.executors.slurm import SlurmSettings
from harness.scoring import table
from harness.scoring.study import with_populations
from harness.sources.catalogue import source
from harness.sources.places import checksum

LOCAL = "executor=local"
PROXIES = ["swap", "synflow", "params", "jacov", "az_nas"]
RUN = [LOCAL, "seed=0..1", "n=6", f"proxies=[{','.join(PROXIES)}]"]

CORRELATIONS = "space task proxy seed n n_undefined spearman kendall n_failed"
SUMMARY = (
    "space task proxy seeds n spearman_mean spearman_std spearman_low spearman_high kendall_mean "
    "n_undefined n_failed at_ceiling"
)
SCORES = "space task key proxy seed draw value status seconds message conditions machine truth"
PICTURES = ("heatmap.png", "scatter.png")


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def correlations(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / RESULT / "correlations.csv")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of one run, which no test may change."""
    folder = tmp_path_factory.mktemp("finished")
    write_truth(folder)
    assert call(folder, *RUN) == 0
    return folder


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    write_truth(tmp_path, n=12)
    return tmp_path


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


# What a run leaves behind.


def test_tables_hold_what_they_promise(finished: Path) -> None:
    table = correlations(finished)
    assert list(table) == CORRELATIONS.split()
    assert sorted(zip(table.proxy, table.seed, strict=True)) == sorted(
        (proxy, seed) for seed in (0, 1) for proxy in PROXIES
    )
    summary = pd.read_csv(finished / RESULT / "summary.csv")
    assert list(summary) == SUMMARY.split()
    assert sorted(summary.proxy) == sorted(PROXIES)
    assert set(summary.seeds) == {2}
    defined = summary.dropna(subset="spearman_mean")
    assert len(defined) >= 4
    assert (defined.spearman_low <= defined.spearman_mean).all()
    assert (defined.spearman_mean <= defined.spearman_high).all()


def test_correlations_follow_from_the_scores(finished: Path) -> None:
    scores = pd.read_parquet(finished / RESULT / "scores.parquet")
    assert list(scores) == SCORES.split()
    assert len(scores) == 2 * 6 * len(PROXIES)
    assert set(scores.space) == {"nb201"}
    assert set(scores.task) == {"digits"}
    accuracy = pd.read_csv(finished / "truth.csv").set_index("key").value
    assert (scores.truth == scores.key.map(accuracy)).all()
    assert (scores.seconds >= 0).all()
    assert scores.value.isna().equals(scores.status != "ok")
    assert scores.message.eq("").equals(scores.status == "ok")
    for row in correlations(finished).itertuples():
        of_row = scores[(scores.proxy == row.proxy) & (scores.seed == row.seed)]
        assert row.n == len(of_row) == 6
        assert row.n_undefined == (of_row.status == "undefined").sum()
        if of_row.value.max() == of_row.value.min():  # on eight images every unit of SWAP's differs
            assert math.isnan(row.spearman)
            continue
        expected = stats.spearmanr(of_row.value, of_row.truth).statistic
        assert row.spearman == pytest.approx(expected, abs=1e-12)


def test_pictures_are_written(finished: Path) -> None:
    for name in PICTURES:
        assert (finished / RESULT / name).read_bytes().startswith(b"\x89PNG\r\n")
    names = {path.name for path in (finished / RESULT).iterdir()}
    assert names == {*PICTURES, "correlations.csv", "summary.csv", "scores.parquet", "run.json"}


def test_run_json_traces_the_numbers_and_names_nothing_of_the_machine(finished: Path) -> None:
    text = (finished / RESULT / "run.json").read_text()
    record = json.loads(text)
    assert record["config"]["space"] == "nb201"
    assert record["config"]["batch_size"] == 8
    assert "search" not in record["config"]  # of another job
    assert record["resolved"]["seeds"] == [0, 1]
    assert record["resolved"]["proxies"] == PROXIES
    assert record["resolved"]["n"] == 6
    assert record["versions"].keys() >= {"python", "numpy", "scipy", "pandas", "hydra-core"}
    assert sum(one["scores"] for one in record["computed"]) >= 2 * 6 * len(PROXIES)
    assert {(one["device"], one["torch"]) for one in record["computed"]} == {
        ("cpu", version("torch"))
    }
    assert record["truth"]["variant"] == "csv"
    assert record["truth"]["files"] == {"truth.csv": f"sha256:{checksum(finished / 'truth.csv')}"}
    assert len(record["inputs"]["sha256"]) == 64
    assert record["commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", record["commit"])
    for private in (str(finished), str(Path.home()), str(Path.cwd())):
        assert private == "/" or private not in text
    assert not re.search(r'"/', text)


def test_an_absolute_path_of_the_users_stays_out_of_run_json(copy: Path) -> None:
    own = copy / "own.csv"
    shutil.copy(copy / "truth.csv", own)
    elsewhere = ["study=own", f"truth.path={own}", f"results={copy}/results"]
    assert call(copy, *RUN, *elsewhere) == 0
    text = (copy / "results/own/nb201/digits/run.json").read_text()
    assert str(copy) not in text
    assert json.loads(text)["config"]["truth"]["path"] == "own.csv"
    assert json.loads(text)["truth"]["files"] == {"own.csv": f"sha256:{checksum(own)}"}


def test_a_second_run_computes_nothing_and_says_the_same(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(copy)
    times = {path: path.stat().st_mtime_ns for path in (copy / SHARDS).iterdir()}
    assert call(copy, *RUN) == 0
    assert snapshot(copy) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times
    out = capsys.readouterr().out
    assert f"Results: {RESULT}" in out
    assert all(proxy in out for proxy in PROXIES)


def test_a_dead_cell_is_counted_and_ranks_last_or_is_dropped(fresh: Path) -> None:
    dead = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    truth = fresh / "truth.csv"
    truth.write_text("".join(truth.read_text().splitlines(keepends=True)[:6]) + f"{dead},1\n")
    asked = [LOCAL, "n=6", "proxies=[nwot,zen]"]
    tables = {}
    for policy in ("worst", "drop"):
        assert call(fresh, *asked, f"undefined={policy}", "overwrite=true") == 0
        tables[policy] = correlations(fresh).set_index("proxy").loc["zen"]
    assert tables["worst"].n == 6
    assert tables["drop"].n == 5
    assert tables["worst"].n_undefined == tables["drop"].n_undefined == 1
    assert tables["worst"].spearman > tables["drop"].spearman
    scores = pd.read_parquet(fresh / RESULT / "scores.parquet").set_index(["proxy", "key"])
    row = scores.loc[("zen", dead)]
    assert row.status == "undefined"
    assert math.isnan(row.value)
    assert row.message


# Which seeds and how many architectures.


def test_a_flag_does_not_take_the_word_behind_it() -> None:
    """--info takes a word if there is one, and --cfg always does."""
    for line in (["job=data", "--info"], ["-m", "seed=0,1", "--cfg", "job"]):
        words = [word for word in line if "=" in word]
        assert readable(line)[: len(words)] == words
        assert sorted(readable(line)) == sorted(line)


def test_every_way_to_write_seeds(fresh: Path) -> None:
    quick = [LOCAL, "proxies=params"]
    assert call(fresh, *quick, "seed=3") == 0
    assert call(fresh, *quick, "seed=[0,2]") == 0
    assert set(correlations(fresh).seed) == {0, 2, 3}
    assert call(fresh, *quick, "seed=0..1", "results=range/results") == 0
    assert call(fresh, *quick, "-m", "seed=range(2)", "results=sweep/results") == 0
    swept = correlations(fresh / "sweep")
    assert list(swept.seed) == [0, 1]
    pd.testing.assert_frame_equal(swept, correlations(fresh / "range"), check_exact=True)


def test_more_architectures_than_there_are(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(fresh, LOCAL, "proxies=params", "n=9999") == 0
    assert set(correlations(fresh).n) == {12}
    assert "n=9999 is more than the 12 architectures" in capsys.readouterr().err


PLAIN = {"status": "ok", "message": "", "conditions": "0"}


def test_a_part_that_failed_leaves_no_rank() -> None:
    """Out of memory is no last place; an undefined part is one."""
    parts = ("az_expressivity", "az_progressivity", "az_trainability", "flops")
    scores = pd.DataFrame(
        [
            {"key": key, "proxy": part, "seed": 0, "value": value, **PLAIN}
            for part in parts
            for key, value in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0))
        ]
    )
    for key, part, status in (("b", "flops", "oom"), ("c", "az_trainability", "undefined")):
        row = (scores.key == key) & (scores.proxy == part)
        scores.loc[row, ["value", "status", "message"]] = [math.nan, status, "why"]
    ranked = with_populations(scores, ("az_nas", "flops"), Settings())
    ranked = ranked[ranked.proxy == "az_nas"].set_index("key")
    assert list(ranked.status) == ["ok", "oom", "ok", "ok"]
    assert ranked.message["b"] == "why"
    assert math.isnan(ranked.value["b"])
    assert ranked.value["d"] == 0 > ranked.value["c"] > ranked.value["a"]


def test_drawing_with_replacement_keeps_every_draw(fresh: Path) -> None:
    asked = [LOCAL, "proxies=[params,az_nas]", "n=20", "replace=true"]
    assert call(fresh, *asked) == 0
    assert set(correlations(fresh).n) == {20}


# Mistakes.

MISTAKES = {
    "space=nb20": "Unknown choice of space 'nb20'. Did you mean 'nb201'?",
    "space=[nb101,nb201]": "names several choices; write -m space=nb101,nb201 for a run each.",
    "space='[/red]x'": "Unknown choice of space '[/red]x'",
    "task=cifr10": "Unknown choice of task 'cifr10'. Did you mean 'cifar10'?",
    "task=room_layout": "Unknown task of nb201 'room_layout'",
    "proxies=snipp": "Unknown proxy 'snipp'. Did you mean 'snip'?",
    "proxies=[params,swpa]": "Unknown proxy 'swpa'. Did you mean 'swap'?",
    "proxies=[]": "proxies=[] names no proxy",
    "job=corelate": "Unknown choice of job 'corelate'. Did you mean 'correlate'?",
    "executor=proceses": "Unknown choice of executor 'proceses'. Did you mean 'processes'?",
    "executor=2": "take the name of a choice",
    "executor.workers=-1": "executor.workers=-1",
    "executor.gpus=-1": "The executor that is chosen has no key 'executor.gpus'",
    "search.mu=1": "job=correlate has no key 'search.mu'; it belongs to job=",
    "architecture=0": "job=correlate has no key 'architecture'; it belongs to job=score",
    "inputs=gausian": "Unknown choice of inputs 'gausian'. Did you mean 'gaussian'?",
    "inputs.source=digts": "Unknown source of inputs 'digts'. Did you mean 'digits'?",
    "inputs=cifar10": "takes 3×8×8; choose other inputs",
    "truth=sv": "Unknown choice of truth 'sv'. Did you mean 'csv'?",
    "truth=measured": "which reads no file of yours",
    "truth=test_seeds": "Unknown ground-truth variant of nb201/digits 'test_seeds'",
    "truth.path=nowhere.csv": "nowhere.csv does not exist",
    "experiment=nothing": "Unknown choice of experiment 'nothing'",
    "n=0": "n=0 is not possible; it must be at least 1 and at most 1,000,000.",
    "n=-3": "n=-3 is not possible",
    "n=abc": "'n' is wrong: Value 'abc'",
    "n=1.5": "'n' is wrong: Value '1.5'",
    "n=": "'n' is wrong",
    "n": "Error parsing override 'n'",
    "n=${nothing}": "Interpolation key 'nothing' not found",
    "seed=x": "seed=x names no seeds; write seed=3, seed=0..4 (inclusive) or seed=[0,2]",
    "seed=-1": "seed=-1 names no seeds",
    "seed=99999999999999999999": "names no seeds",
    "seed=0,1": "seed=0,1 stands for several values; add -m for one run each, or write seed=[0,1]",
    "seed=range(2)": "seed=range(2) stands for several runs; add -m",
    "seed=rang(2)": "seed=rang(2) names no seeds",
    "swap.imagez=3": "Unknown configuration key 'swap.imagez'. Did you mean 'swap.images'?",
    "+swap.imagez=3": "Unknown configuration key 'swap.imagez'. Did you mean 'swap.images'?",
    "swapp.images=3": "Unknown configuration key 'swapp.images'. Did you mean 'swap.images'?",
    "swap={imagez:3}": "swap",
    "swap=3": "swap=3 is wrong; give values to the keys of swap, as in swap.KEY=VALUE.",
    "zen.gamma=nan": "zen.gamma=nan is not possible; it must be a finite number.",
    "--resume": "there is no flag --resume",
    "--cfg=jobs": "invalid choice: 'jobs'",
    "spase=nb201": "Unknown configuration key 'spase'. Did you mean 'space'?",
    "swap.images=0": "swap.images=0",
    "proxies=[swap,": "lists without spaces",
    "batch_size=9": "a result made under other conditions (batch_size=8, now 9). Keep both with",
    "batch_size=1": "batch_size=1 is not possible; it must be at least 2",
    "device=cdua": "Unknown device 'cdua'. Did you mean 'cuda'?",
    "device=meta": "Unknown device 'meta'",
    "undefined=maybe": "must be 'worst' or 'drop'",
    "replace=maybe": "'replace' is wrong",
    "regulariser.unit=0": "regulariser.unit=0.0 is wrong; give a number above 0",
    "regulariser.sigma=0": "regulariser.sigma=0 is wrong",
    "regulariser.mu=big": "regulariser.mu=big is wrong",
    "results=truth.csv/below": "Cannot write truth.csv/below/.work/scores/nb201/digits (Not a",
    "results=": "names no folder",
    "study=..": "study=.. is no name",
}


def assert_one_sentence(error: str, message: str) -> None:
    assert error.startswith("Error: ")
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert error.strip()[-1] in ".?"
    for noise in ("Traceback", "HYDRA_FULL_ERROR", "Error executing job", "hydra.cc"):
        assert noise not in error


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_and_costs_nothing(
    finished: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    before = snapshot(finished)
    assert call(finished, *RUN, mistake) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert_one_sentence(err, MISTAKES[mistake])
    assert snapshot(finished) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_the_device_is_tried_where_the_work_is_done(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cluster is started from machines without a GPU."""

    def cluster(function: Any, items: Any, settings: Any) -> Any:
        handed_over.extend(item.conditions.device for item in items)
        raise HarnessError("The work was handed over.")

    handed_over: list[str] = []
    asked = ["device=cuda", "proxies=params"]
    assert call(fresh, *asked, "executor=local") == 1
    assert_one_sentence(capsys.readouterr().err, "The device 'cuda' cannot be used here")
    slurm = replace(executors.get("slurm"), function=cluster)
    monkeypatch.setattr(SlurmSettings, "check_here", lambda _: None)
    monkeypatch.setitem(executors._items, "slurm", slurm)
    assert call(fresh, *asked, "executor=slurm") == 1
    assert_one_sentence(capsys.readouterr().err, "The work was handed over.")
    assert handed_over == ["cuda"]


def test_every_block_of_a_sweep_names_its_overrides(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(fresh, "-m", "proxies=[params]", "seed=0,1", "study=a,b", "executor=local") == 0
    out = capsys.readouterr().out.splitlines()
    told = [line for line in out if line.startswith(("─── ", "Results: "))]
    assert told == [
        line
        for seed in (0, 1)
        for study in "ab"
        for line in (f"─── seed={seed} study={study}", f"Results: results/{study}/nb201/digits")
    ]
    # A table for other programs has nothing above it.
    assert call(fresh, "-m", "job=list", "format=csv", "space=nb101,nb201") == 0
    out, err = capsys.readouterr()
    assert out.startswith("kind,name,")
    assert "─── space=nb101\n" in err
    assert call(fresh, "proxies=[params]", "seed=0,1") == 1  # without -m it is no sweep
    assert "───" not in capsys.readouterr().err


def test_a_mistake_in_a_sweep_stops_it(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(finished / RESULT)
    assert call(finished, *RUN, "-m", "space=nb201,nb101", "truth.path=none.csv") == 1
    assert_one_sentence(capsys.readouterr().err, "none.csv does not exist")
    assert snapshot(finished / RESULT) == before
    shutil.rmtree(finished / "results/.multirun", ignore_errors=True)


def test_a_corrupted_shard_is_named_and_its_part_is_computed_anew(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = sorted((copy / SHARDS).iterdir())[0]
    shard.write_bytes(shard.read_bytes()[:-20])
    before = snapshot(copy)
    assert call(copy, *RUN) == 1
    assert_one_sentence(
        capsys.readouterr().err, f"The shard {shard.relative_to(copy)} is corrupted"
    )
    assert snapshot(copy) == before
    shard.unlink()
    assert call(copy, *RUN) == 0
    assert (
        snapshot(copy)[copy / RESULT / "correlations.csv"]
        == (before[copy / RESULT / "correlations.csv"])
    )


def test_a_file_of_a_mirror_that_is_another_one(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place = tmp_path / "mirror" / source("nb201_cifar10_seeds").place
    with atomic(place) as temporary:
        temporary.write_bytes(bytes(source("nb201_cifar10_seeds").bytes or 10))
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    before = snapshot(finished)
    wrong = ["task=cifar10", "truth=test_seeds", "truth.path=null", "inputs=gaussian"]
    assert call(finished, *RUN, *wrong) == 1
    assert_one_sentence(capsys.readouterr().err, f"{place} in HARNESS_MIRROR is another file")
    assert snapshot(finished) == before


def test_missing_images_never_turn_into_noise(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("HARNESS_MIRROR", raising=False)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    assert call(finished, *RUN, "task=cifar10", "inputs.download=false") == 1
    told = "take declared stand-ins: `inputs=photographs`, `inputs=gaussian`."
    assert_one_sentence(capsys.readouterr().err, told)
    assert not (finished / "results/main/nb201/cifar10").exists()


def test_the_command_itself_answers_so(fresh: Path) -> None:
    """Two of these in a process of their own, where Hydra could add lines at the exit."""
    mistakes = {
        "swap.imagez=3": "Did you mean 'swap.images'?",
        "batch_size=300": "at most 200",
    }
    runs = {mistake: start(fresh, mistake) for mistake in mistakes}
    for mistake, run in runs.items():
        out, err = run.communicate(timeout=120)
        assert run.returncode == 1
        assert out == ""
        assert_one_sentence(err, mistakes[mistake])
    assert not (fresh / RESULT).exists()


def test_ctrl_c_keeps_what_is_finished(fresh: Path) -> None:
    run = start(fresh, LOCAL, "proxies=[synflow,ntk]", "seed=0..30")
    shards = fresh / SHARDS
    while not list(shards.glob("[!.]*.parquet")):
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert err.endswith("Stopped; what is finished is kept. Run the same command again.\n")
    assert "Traceback" not in err
    assert not list(shards.glob(".*"))


@pytest.mark.mirror
def test_real_images_and_the_published_truth(tmp_path: Path) -> None:
    cifar = ["task=cifar10", "truth=default", "truth.path=null", "proxies=[params,nwot]"]
    assert call(tmp_path, LOCAL, *cifar) == 0
    folder = tmp_path / "results/main/nb201/cifar10"
    record = json.loads((folder / "run.json").read_text())
    assert record["inputs"]["source"] == "cifar10_train"
    assert not record["inputs"]["stand_in"]
    assert not re.search(r'"/', (folder / "run.json").read_text())
    scores = pd.read_parquet(folder / "scores.parquet")
    assert scores.truth.between(10, 95).all()


def test_what_failed_is_scored_again_on_request(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the rows of many shards are kept in one file beside them."""
    monkeypatch.setattr(table, "CACHE_AFTER", 1)
    run = [LOCAL, "n=6", "proxies=[params,swap]"]
    assert call(fresh, *run) == 0
    original = pd.read_parquet(fresh / RESULT / "scores.parquet")
    (shard,) = (fresh / SHARDS).glob("*.parquet")
    rows = pd.read_parquet(shard)
    failed = (rows.proxy == "swap") & (rows.key == rows.key[0])
    rows.loc[failed, ["value", "status", "message"]] = [math.nan, "oom", "too large"]
    rows.to_parquet(shard, index=False)
    shutil.rmtree(fresh / RESULT)

    assert call(fresh, *run) == 0
    statuses = pd.read_parquet(fresh / RESULT / "scores.parquet").status
    assert statuses.value_counts().to_dict() == {"ok": 11, "oom": 1}

    assert call(fresh, *run, "retry=true") == 0
    again = pd.read_parquet(fresh / RESULT / "scores.parquet")
    columns = ["key", "proxy", "value", "status", "message"]
    pd.testing.assert_frame_equal(again[columns], original[columns])
    repeated = [p for p in (fresh / SHARDS).glob("*.parquet") if p != shard]
    assert [len(pd.read_parquet(path)) for path in repeated] == [1]

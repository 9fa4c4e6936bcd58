"""``make gpu``: parts that hang or fail, what the kit holds, and what the study lacks."""

import json
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.gpu import __main__ as run
from benchmarks.gpu import kit
from benchmarks.gpu.command_lines import of_target
from benchmarks.gpu.missing import composed
from benchmarks.gpu.part import Part
from benchmarks.gpu.report import write_report
from harness.core.errors import DataError
from harness.core.sections import Settings
from harness.inputs.batch import load_batch
from harness.inputs.description import describe_inputs
from harness.inputs.selection import InputSettings
from harness.inputs.tasks import tasks
from harness.scoring.conditions import Conditions
from harness.scoring.scope import Scope
from harness.scoring.shard import ScoreShard

HANGING = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_part_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        ended = run.run_command([sys.executable, "-c", HANGING], 3.0, log, {})
    assert ended == "was stopped"
    child = Path(f"/proc/{(tmp_path / 'log').read_text().strip()}")
    deadline = time.monotonic() + 30
    while (child / "stat").exists() and ") Z" not in (child / "stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("code", "ended"), [("", "finished"), ("1/0", "failed with status 1")])
def test_a_part_that_fails_says_so(tmp_path: Path, code: str, ended: str) -> None:
    with (tmp_path / "log").open("wb") as log:
        assert run.run_command([sys.executable, "-c", code], 60.0, log, {}) == ended


def test_time_that_a_part_leaves_is_for_the_later_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {}

    def at_once(part: run.Share, device: str, out: Path, seconds: float, _: object) -> dict:
        given[part.name] = seconds
        (out / f"{part.name}.json").write_text(json.dumps({"device": device}))
        return {"part": part.name, "ended": "finished", "seconds": 0.0}

    monkeypatch.setattr(run, "run_part", at_once)
    run.main([str(tmp_path / "out"), "cpu", "110"])
    assert list(given) == ["agreement", "speed", "study", "searches"]
    whole = given["searches"]  # nobody before it needed any
    assert given["agreement"] == pytest.approx(0.2 * whole, rel=0.05)
    assert given["study"] == pytest.approx(2 / 3 * whole, rel=0.05)
    said = capsys.readouterr().out
    assert "A rehearsal" in said
    assert said.count("- device: cpu") == 4


def test_only_what_is_missing_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tmp_path / "kit" / "wheels"
    wheels.mkdir(parents=True)
    for name in ("not_to_be_found-1.0-py3-none-any.whl", "hydra_core-9-py3-none-any.whl"):
        with zipfile.ZipFile(wheels / name, "w") as archive:
            archive.writestr(f"{name.partition('-')[0]}/__init__.py", "found = 1")
    monkeypatch.setattr(run, "KIT", tmp_path / "kit")
    environment = run.prepared(tmp_path)
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["not_to_be_found"]
    code = "import not_to_be_found, hydra; assert hydra.__version__ != '9'"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_finished_work_is_packed_and_nothing_else(tmp_path: Path) -> None:
    work = tmp_path / "study" / ".work" / "scores"
    work.mkdir(parents=True)
    (work / "a.parquet").write_text("whole")
    (work / ".b.parquet.partial").write_text("half")
    run.pack(tmp_path / "study", tmp_path / "study.tar.gz")
    with tarfile.open(tmp_path / "study.tar.gz") as tar:
        assert tar.getnames() == [".work/scores/a.parquet"]


def test_facts_are_on_disk_as_soon_as_they_are_known(tmp_path: Path) -> None:
    part = Part("speed", "cpu", tmp_path, time.monotonic() + 60)
    part.record(planned="much")
    part.record(rows=[{"workers": 1, "per_second": 2.5}], none=[])
    facts = json.loads((tmp_path / "speed.json").read_text())
    assert facts == {"planned": "much", "rows": [{"workers": 1, "per_second": 2.5}], "none": []}
    write_report(tmp_path, "cuda", 540, [{"part": "speed"}, {"part": "study"}])
    report = (tmp_path / "report.md").read_text()
    assert "| 1 | 2.5 |" in report
    assert "- none: none" in report
    assert "Nothing was recorded" in report
    assert "rehearsal" not in report


@pytest.fixture
def whole_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    mirror = tmp_path / "mirror"
    (mirror / "images").mkdir(parents=True)
    random = np.random.default_rng(0)
    images = random.integers(256, size=(300, 32, 32, 3), dtype=np.uint8)
    labels = random.integers(10, size=300)
    np.savez_compressed(mirror / "images" / "cifar10_train.npz", images=images, labels=labels)
    monkeypatch.setenv("HARNESS_MIRROR", str(mirror))
    return mirror


def test_a_part_of_a_set_gives_the_same_batches_or_none(
    tmp_path: Path, whole_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "KIT", tmp_path / "kit")
    (tmp_path / "kit" / "mirror" / "images").mkdir(parents=True)
    task, inputs = tasks.get("cifar10"), InputSettings()
    conditions = Conditions("nb201", "cifar10", inputs, 8, "cpu", True, Settings())
    shards = [ScoreShard(conditions, seed, ("a",), ("snip",), tmp_path) for seed in (0, 3)]
    expected = {seed: load_batch(task, inputs, seed, 8) for seed in (0, 3)}
    described = describe_inputs(task, inputs)
    (drawn,) = kit.draws(shards).values()
    kit.take_part("cifar10_train", np.unique(drawn))
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "kit" / "mirror"))
    assert describe_inputs(task, inputs) == described
    for seed, batch in expected.items():
        found = load_batch(task, inputs, seed, 8)
        assert torch.equal(found.images, batch.images)
        assert torch.equal(found.labels, batch.labels)
        assert torch.equal(found.second.images, batch.second.images)
    with pytest.raises(DataError, match="images of seed 1 are not in it"):
        load_batch(task, inputs, 1, 8)


def test_a_target_of_the_makefile_tells_its_command_lines() -> None:
    lines = of_target("table3-scores")
    assert len(lines) == 12
    assert all("proxies=swap_family" in line for line in lines)
    first = composed(lines[0])
    assert (first.space, first.study) == ("darts_swap", "table3/images16_side3")
    assert first.of(Scope).batch_size == 16

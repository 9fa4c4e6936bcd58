"""What the README prints runs as it is printed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import harness.__main__

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    python -m harness (.*)$", README, re.M)
SMALL = {"n": "2", "batch_size": "8", "executor": "local"}


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 5
    assert README.count("\n") < 130


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As printed, but for the numbers of architectures and images."""
    words = shlex.split(command)
    if "space=" in command and "job=" not in command:
        if "inputs=" not in command and "HARNESS_MIRROR" not in os.environ:
            pytest.skip("fetches CIFAR-100")
        words = [word for word in words if word.split("=")[0] not in SMALL]
        words += [f"{key}={value}" for key, value in SMALL.items()]
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["harness", *words])
    GlobalHydra.instance().clear()
    assert harness.__main__.main() == 0


def test_python(tmp_path: Path) -> None:
    """In a process of its own: what it registers would stay."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    scores, truth = run.stdout.splitlines()
    assert "'largest_gradient': Score(value=" in scores
    assert 9 < float(truth.split()[-1]) < 95

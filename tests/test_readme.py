"""What the README prints runs as it is printed."""

import os
import re
import runpy
import shlex
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import harness.__main__

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
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


def test_python(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"))
    scores, truth = capsys.readouterr().out.splitlines()
    assert "'largest_gradient': Score(value=" in scores
    assert 9 < float(truth.split()[-1]) < 95

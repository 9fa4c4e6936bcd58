"""What the command line says of itself, and that it says so at once."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT, call

from harness.command_line.arguments import job_of
from harness.command_line.help_text import EXAMPLES, help_text
from harness.command_line.keys import known_keys
from harness.config import Config, SharedKeys, TruthSettings
from harness.core.sections import comments, score_sections
from harness.executors.executor import executors
from harness.inputs.selection import InputSettings
from harness.jobs.job import jobs

HEAVY = {"torch", "pandas", "scipy", "sklearn", "matplotlib", "pyarrow", "seaborn"}
LOADED = """
import sys, harness.__main__
harness.__main__.main()
print(*{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], HEAVY | {"hydra", "omegaconf", "rich"}),
        (["--help", "job=swap_nas"], HEAVY | {"hydra", "omegaconf"}),
        (["swap.imagez=3"], HEAVY),
        (["seed=x"], HEAVY),
    ],
)
def test_what_needs_no_library_starts_without(arguments: list[str], unwanted: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not set(done.stdout.splitlines()[-1].split()) & unwanted


def test_version_and_help_answer_and_unknown_names_are_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(tmp_path, "--version") == 0
    assert capsys.readouterr().out.startswith("zero-cost-harness 0.")
    assert call(tmp_path, "experiment=swap_nas_a", "-h") == 0
    assert "\nKeys of job=swap_nas\n" in capsys.readouterr().out
    for wrong, message in (("job=swp_nas", "'swap_nas'?"), ("executor=ry", "'ray'?")):
        assert call(tmp_path, "--help", wrong) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert f"Did you mean {message}" in err


def test_there_are_five_examples_and_each_is_a_command() -> None:
    examples = [shlex.split(line) for line in EXAMPLES.splitlines()]
    assert len(examples) == 5
    for words in examples:
        assert words[:3] == ["python", "-m", "harness"]
        known = known_keys(job_of(words))
        assert all(word.partition("=")[0] in known for word in words[3:])


@pytest.mark.parametrize("name", jobs.names())
def test_help_shows_every_key_of_a_job_and_of_no_other(name: str) -> None:
    job = jobs.get(name)
    lines = help_text([f"job={name}"]).splitlines()
    shown = {line.split("=")[0].strip() for line in lines if line.startswith("  ") and "=" in line}
    of_executor = vars(executors.get(Config().executor.name).defaults)
    sections = {key.partition(".")[0] for key in known_keys(job) if "." in key}
    for key in known_keys(job):
        section, _, last = key.rpartition(".")
        if key not in sections and (section != "executor" or last in of_executor):
            assert key in shown, key
    others = {key for one in jobs.values() for key in known_keys(one)} - set(known_keys(job))
    assert not others & shown
    assert max(map(len, lines)) <= 100


def test_every_key_has_a_comment() -> None:
    of_jobs = [kind for one in jobs.values() for kind in (*one.sections, one.options)]
    of_executors = [one.settings for one in executors.values()]
    shared = [SharedKeys, InputSettings, TruthSettings, *score_sections.values()]
    for kind in {*of_jobs, *of_executors, *shared}:
        said = comments(kind)
        assert all(said.values()), (kind, said)

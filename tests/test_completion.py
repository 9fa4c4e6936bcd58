"""Names and keys are completed in the shell, and the shell is not kept waiting."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from commands import ROOT

from harness.command_line.completion import completed
from harness.command_line.keys import GROUPS, known_keys, names_of
from harness.command_line.shells import shell_script
from harness.jobs.job import jobs
from harness.proxies.contract import populations, proxies
from harness.proxies.sets import proxy_sets
from harness.spaces.space import spaces

LOADED = """
import sys
from harness.command_line.completion import completed
print(*completed(sys.argv[1]))
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("h space=tnb", ["space=tnb101_macro", "space=tnb101_micro"]),
        ("h space=nb201,tnb101_macro task=c", ["task=cifar10", "task=cifar100", "task=class_object",
                                                "task=class_scene"]),
        ("h job=score archi", ["architecture="]),
        ("h job=score truth=test_s", ["truth=test_seeds"]),
        ("h -m 'space=nb201' task=cifar10,imagenet", ["task=cifar10,imagenet16_120"]),
        ("h proxies=[swap,nwo", ["proxies=[swap,nwot"]),
        ("h proxies=[nwot,nwo", []),
        ("h swap.im", ["swap.images="]),
        ("h exec", ["executor.", "executor="]),
        ("h replace=t", ["replace=true"]),
        ("h --comp", ["--completion"]),
        ("h truth.path=", []),
        ("h job=nonsense spac", ["space="]),
    ],
)  # fmt: skip
def test_what_a_word_can_become(line: str, expected: list[str]) -> None:
    assert completed(line) == expected


def test_every_name_is_offered() -> None:
    for group in GROUPS:
        assert completed(f"h {group}=") == [f"{group}={name}" for name in names_of(group)]
    for name in spaces:
        assert completed(f"h space={name} task=") == [
            f"task={task}" for task in sorted(spaces.get(name).tasks)
        ]
    named = {*proxies, *populations, *proxy_sets, "all"}
    assert set(completed("h proxies=[")) == {f"proxies=[{name}" for name in named}


@pytest.mark.parametrize("name", jobs.names())
def test_every_key_of_a_job_can_be_reached(name: str) -> None:
    found, waiting = set(), [""]
    while waiting:
        for one in completed(f"h job={name} {waiting.pop()}"):
            if one.endswith("."):
                waiting.append(one)
            else:
                found.add(one)
    sections = {key.rpartition(".")[0] for key in known_keys(jobs.get(name))}
    keys = {key for key in known_keys(jobs.get(name)) if key not in sections}
    assert found >= {f"{key}=" for key in keys}


@pytest.mark.parametrize("line", ["h space=", "h task=", "h proxies=[", "h ", "h study="])
def test_completion_imports_no_library_that_takes_a_second(line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, line],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer, modules = done.stdout.splitlines()
    assert answer
    assert not {"torch", "pandas", "scipy", "hydra", "omegaconf"} & set(modules.split())


def test_proxies_are_those_registered_though_no_file_of_theirs_was_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "h proxies="],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = set(done.stdout.splitlines()[0].split())
    assert found <= set(completed("h proxies="))  # other tests register more
    ours = [
        one.name
        for one in (*proxies.values(), *populations.values())
        if one.function.__module__.startswith("harness.")
    ]
    assert found == {f"proxies={name}" for name in (*ours, *proxy_sets, "all")}


def test_studies_are_those_of_the_results_that_are_named(tmp_path: Path) -> None:
    for place in ("a/nb201/cifar10", "b/c/nb101/cifar10/name", "analysis", ".work/nb201/cifar10"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "run.json").touch()
    found = completed(f"h results={tmp_path} study=")
    assert found == ["study=a", "study=analysis", "study=b/c"]


def test_bash_completes_the_script_and_the_module(tmp_path: Path) -> None:
    """In a terminal, with its own word breaks; what is then run says what it was given."""
    for name, place, command in (("zero-cost-harness", 1, "-m harness"), ("python", 3, "")):
        (tmp_path / name).write_text(
            f'#!/bin/sh\n[ "${place}" = --complete ] && exec {sys.executable} {command} "$@"\n'
            'printf "<%s>" "$@"; echo\n'
        )
        (tmp_path / name).chmod(0o755)
    (tmp_path / "my_file.csv").touch()
    (tmp_path / "rc").write_text(f"PS1=\n{shell_script('bash')}\n")
    typed = {
        "zero-cost-harness space=tnb101_ma\ttask=jig\t\n": "<space=tnb101_macro><task=jigsaw>",
        "python -m harness proxies=[swap,nwo\t]\n": "<-m><harness><proxies=[swap,nwot]>",
        "zero-cost-harness overw\ttr\t\n": "<overwrite=true>",
        "zero-cost-harness truth.path=my_f\t\n": "<truth.path=my_file.csv>",
        "python my_f\t\n": "<my_file.csv>",
    }
    told = typed_in_bash(tmp_path, "".join(typed) + "exit\n")
    for expected in typed.values():
        assert expected in told, told


def typed_in_bash(folder: Path, text: str) -> str:
    """Returns what a terminal shows whose bash is given a text; the folder holds its commands."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ |= {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        os.execvp("bash", ["bash", "--noprofile", "--rcfile", "rc", "-i"])
    os.write(terminal, text.encode())
    shown = b""
    with suppress(OSError):  # which a terminal gives when its last process has ended
        while part := os.read(terminal, 65536):
            shown += part
    os.waitpid(child, 0)
    return shown.decode()

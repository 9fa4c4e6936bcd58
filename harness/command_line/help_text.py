"""What ``--help`` and ``--version`` print, made from the registries and the records' docstrings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import harness
from harness.command_line.arguments import chosen, job_of, presets
from harness.config import Config, SharedKeys, TruthSettings
from harness.core.sections import Settings, comments, score_sections, section_name
from harness.executors.executor import executors
from harness.inputs.selection import InputSettings
from harness.jobs.job import Job, jobs

EXAMPLES = """\
  python -m harness space=nb201 task=cifar100 seed=0..4
  python -m harness space=nb101 proxies=[swap,reg_swap,nwot] n=200 study=mine
  python -m harness task=cifar10 inputs=gaussian swap.images=32 device=cuda executor=local
  python -m harness job=list space=nb201
  python -m harness job=score architecture=0 proxies=all
"""
WIDTH, INDENT = 100, 36


def version() -> str:
    """Returns the name and version of the harness."""
    return f"zero-cost-harness {harness.__version__}"


def help_text(arguments: Sequence[str]) -> str:
    """Returns the help of the job and the executor that the arguments name, or of the usual ones.

    Raises:
        HarnessError: If there is no such job or executor.
    """
    job = job_of(arguments)
    executor = executors.get(chosen("executor", arguments, Config().executor.name))
    shared = SharedKeys(job=job.name)
    if not job.one_space:
        shared = replace(shared, space="", task="")
    lines = [
        f"{version()}: how well does a zero-cost proxy rank architectures?",
        "",
        EXAMPLES,
        *_item(f"job={job.name}", " ".join(re.split(r"\n\n[A-Z]\w+:\n", job.doc)[0].split())),
        "",
        *_own_keys(job),
        *_block("Keys of every job", shared),
        *_block("inputs=NAME", InputSettings()),
        *_block("truth=NAME", TruthSettings()),
        *_block(f"executor=NAME, here {executor.name}", executor.defaults),
        "Other jobs, each with its own --help",
        *(line for one in jobs.values() if one is not job for line in _item(one.name, one.summary)),
        "",
        "Presets, experiment=NAME",
        *(line for name, path in presets().items() for line in _item(name, _comment(path))),
        "",
        "-m starts one run per value of seed=0,1 or 'seed=range(5)'; --cfg job shows its values.",
        'eval "$(python -m harness --completion bash)", or zsh, completes keys and names at a tab;',
        "python -m harness --completion fish | source does; --hydra-help shows more.",
    ]
    return "\n".join(lines)


def _own_keys(job: Job) -> Iterator[str]:
    records = [job.options(), *(kind() for kind in job.records.values() if kind is not Settings)]
    lines = [line for one in records for line in _block("", one)[1:-1]]
    if lines:
        yield from (f"Keys of job={job.name}", *lines, "")
    if Settings in job.records.values():
        for kind in score_sections.values():
            yield from _block(f"Settings of {section_name(kind)}", kind())


def _block(title: str, record: Any) -> list[str]:
    """Returns a title, a line or more per key (name, value, comment), and an empty line."""
    said, section = comments(type(record)), section_name(type(record))
    lines = [title]
    for name, value in vars(record).items():
        key = f"{section}.{name}" if section else name
        lines += _item(f"{key}={_shown(value)}", said[name])
    return [*lines, ""]


def _comment(preset: Path) -> str:
    """Returns the first comment of a preset behind its package line."""
    lines = preset.read_text(encoding="utf-8").splitlines()
    return next((line[2:] for line in lines if line.startswith("# ") and "@" not in line), "")


def _item(key: str, words: str) -> Iterator[str]:
    lines = textwrap.wrap(words.replace("``", ""), WIDTH - INDENT) or [""]
    if len(key) + 3 > INDENT:
        yield f"  {key}"
        key = ""
    yield (f"  {key}".ljust(INDENT) + lines[0]).rstrip()
    yield from (" " * INDENT + line for line in lines[1:])


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)

"""What the word under the cursor can become; the shell asks at every tab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from harness.command_line.arguments import chosen, job_of, presets
from harness.command_line.keys import GROUPS, known_keys, names_of
from harness.config import SharedKeys
from harness.core.errors import HarnessError
from harness.jobs.job import Job, jobs
from harness.results.layout import RECORD

FLAGS = ("--help", "--version", "--multirun", "--cfg", "--completion")


def completed(line: str) -> list[str]:
    """Returns the words that the last word of a line can become.

    Args:
        line: What was typed up to the cursor, the command first.

    Returns:
        Whole words; those that end in ``=`` or ``.`` go on. None where any value will do.
    """
    words = [one.strip("'\"") for one in line.split()]
    *before, word = words if line[-1:].strip() else [*words, ""]
    if word.startswith("-"):
        return [flag for flag in FLAGS if flag.startswith(word)]
    key, equals, value = word.partition("=")
    job = _job(before)
    if not equals:
        return sorted({one for one in _next_keys(job, key) if one.startswith(word)})
    start = max(map(value.rfind, "[,")) + 1  # the last of several values is completed
    given = value[:start].strip("[").split(",")
    return [
        f"{key}={value[:start]}{name}"
        for name in _values(key, job, before)
        if name.startswith(value[start:]) and name not in given
    ]


def _job(before: Sequence[str]) -> Job:
    try:
        return job_of(before)
    except HarnessError:  # mistyped, which the run will tell
        return jobs.get(SharedKeys.job)


def _next_keys(job: Job, typed: str) -> Iterator[str]:
    """Yields keys of the section that is typed; ``section.`` stands for those of another."""
    depth = typed.count(".")
    keys = [*known_keys(job), "experiment"]
    sections = {key.rpartition(".")[0] for key in keys}
    for key in keys:
        if key.count(".") == depth:
            if key in sections:
                yield f"{key}."
            if key not in sections or key in GROUPS:
                yield f"{key}="


def _values(key: str, job: Job, before: Sequence[str]) -> Iterable[str]:
    if key == "task":
        return _tasks(before)
    if key in GROUPS:
        return names_of(key)
    if key == "experiment":
        return presets()
    if key == "proxies":
        return _proxies()
    if key == "study":
        return _studies(Path(chosen("results", before, SharedKeys.results)))
    if key == "device":
        return ("cpu", "cuda")
    return ("true", "false") if isinstance(known_keys(job).get(key), bool) else ()


def _tasks(before: Sequence[str]) -> list[str]:
    """Returns the tasks of the spaces that are named, all if none is."""
    from harness.spaces.space import spaces

    named = [word.partition("=")[2] for word in before if word.startswith("space=")]
    fitting = {
        task
        for name in ",".join(named).split(",")
        if name in spaces
        for task in spaces.get(name).tasks
    }
    return sorted(fitting) or names_of("task")


def _proxies() -> list[str]:
    from harness.proxies.declared import proxy_names
    from harness.proxies.sets import proxy_sets

    return ["all", *proxy_sets.names(), *proxy_names()]


def _studies(results: Path) -> list[str]:
    """Returns the studies below a folder; what follows a study's name is a space, or a record."""
    spaces, found = set(names_of("space")), set()
    for record in results.glob(f"[!.]*/**/{RECORD}"):
        folders = record.parent.relative_to(results).parts
        places = [place for place, name in enumerate(folders) if name in spaces]
        found.add("/".join(folders[: places[0] if places else None]))
    return sorted(found)

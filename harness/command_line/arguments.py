"""Reads what was typed: flags, the job that is meant, and text that Hydra's grammar cannot read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness.config import Config
from harness.core.errors import HarnessError
from harness.jobs.job import Job, jobs


def config_folder() -> Path:
    """Returns ``conf/``: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def presets() -> dict[str, Path]:
    """Returns the choices of ``experiment=`` and their files."""
    return {path.stem: path for path in sorted(config_folder().glob("experiment/*.yaml"))}


def chosen(group: str, arguments: Sequence[str], default: str) -> str:
    """Returns the last choice of a group that the arguments name, of a sweep its first."""
    named = [word.partition("=")[2] for word in arguments if word.startswith(f"{group}=")]
    return [default, *named][-1].partition(",")[0]


def job_of(arguments: Sequence[str]) -> Job:
    """Returns the job that the arguments mean, by ``job=`` or by ``experiment=``.

    Raises:
        HarnessError: If there is no such job.
    """
    default = Config.job
    preset = presets().get(chosen("experiment", arguments, ""))
    for line in preset.read_text(encoding="utf-8").splitlines() if preset else ():
        if line.strip().startswith("- override /job:"):
            default = line.rpartition(":")[2].strip()
    return jobs.get(chosen("job", arguments, default))


def readable(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments as Hydra takes them: flags last, and other text in quotes.

    Raises:
        HarnessError: If there is no such flag, or several choices stand where one is run.
    """
    from hydra._internal.utils import get_args_parser

    from harness.command_line.keys import GROUPS

    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign,assignment]
    known, rest = parser.parse_known_args(arguments)
    for word in rest:
        if word.startswith("-"):
            _refuse(f"there is no flag {word}")
    overrides = [*known.overrides, *rest]
    flags = list(arguments)
    for word in overrides:
        flags.remove(word)
        key, _, value = word.partition("=")
        if key in GROUPS and value.startswith("["):
            raise HarnessError(
                f"{word} names several choices; write -m {key}={value.strip('[]')} for a run each."
            )
    return [*map(_quoted, overrides), *flags]  # a flag may take the word behind it


_HASH = re.compile("[0-9a-f]{32}")  # of NAS-Bench-101; Hydra would read 85e3… as a number


def _quoted(word: str) -> str:
    """Puts the value in quotes if Hydra cannot read it: keys of architectures hold any sign."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    key, _, value = word.partition("=")
    if _HASH.fullmatch(value):
        return f"{key}='{value}'"
    if value and value[0] not in "[{'\"":
        try:
            OverridesParser.create().parse_overrides([word])
        except HydraException:
            escaped = value.replace("'", "\\'")
            return f"{key}='{escaped}'"
    return word


def _refuse(reason: str) -> None:
    raise HarnessError(
        f"The command line cannot be read: {reason}; keys are written key=value, and --help shows "
        "them."
    )

"""Turns Hydra's explanations, several lines for its experts, into one sentence for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from harness.command_line.arguments import job_of
from harness.command_line.compose import unknown_key
from harness.command_line.keys import known_keys
from harness.core.errors import HarnessError, unknown
from harness.jobs.job import Job


def explained(error: Exception, arguments: Sequence[str]) -> HarnessError:
    """Returns what is wrong with a command line that Hydra or OmegaConf refused.

    Args:
        error: What was raised; anything that is not about the command line is raised again.
        arguments: The command line.
    """
    text = str(error)
    if match := re.search(r"Could not override '(?P<key>[^']+)'", text):
        return _unknown_key(match["key"], job_of(arguments))
    for pattern, explain in _EXPLANATIONS.items():
        if match := re.search(pattern, text, flags=re.DOTALL):
            return explain(match)
    if not isinstance(error, (HydraException, OmegaConfBaseException)):
        raise error
    return HarnessError(
        f"The command line cannot be read: {text.strip().splitlines()[0].rstrip('.')}."
    )


def _unknown_key(key: str, job: Job) -> HarnessError:
    if key in known_keys(job) and not key.startswith("executor."):
        return HarnessError(f"The value given for {key} has a part that {key} does not have.")
    return unknown_key(key, job)


def _unknown_choice(match: re.Match[str]) -> HarnessError:
    choices = re.findall(r"^\t(\S+)$", match.string, flags=re.MULTILINE)
    return unknown(f"choice of {match['group']}", match["name"], choices)


def _several_values(match: re.Match[str]) -> HarnessError:
    key, values = match["key"], match["values"]
    return HarnessError(
        f"{key}={values} stands for several values; add -m for one run each, or write "
        f"{key}=[{values}] for a list."
    )


def _sweep(match: re.Match[str]) -> HarnessError:
    return HarnessError(f"{match['argument']} stands for several runs; add -m to start them.")


def _syntax(match: re.Match[str]) -> HarnessError:
    return HarnessError(
        f"The command line cannot be read ({match['reason']}); write key=value, and lists without "
        "spaces, as in proxies=[swap,nwot]."
    )


def _not_a_name(_: re.Match[str]) -> HarnessError:
    return HarnessError(
        "job, space, task, inputs, truth, executor and experiment each take the name of a choice, "
        "for example executor=local executor.threads=2."
    )


_EXPLANATIONS: dict[str, Callable[[re.Match[str]], HarnessError]] = {
    r"Could not find '(?P<group>hydra/\w+|\w+)/(?P<name>[^']*)'": _unknown_choice,
    r"Ambiguous value for argument '(?P<key>[^=]+)=(?P<values>[^'\n]+)'": _several_values,
    r"Sweep parameters '(?P<argument>[^\n]+)' requires --multirun": _sweep,
    r"^(?P<reason>[^\n]+)\n.*See https://hydra.cc": _syntax,
    r"Could not load '[^']+/[^'/]*'": _not_a_name,
    r"^Config group override must be a string or a list": _not_a_name,
}

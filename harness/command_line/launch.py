"""Composes a run with Hydra and does the job; what Hydra refuses becomes one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from harness.command_line.arguments import config_folder, readable
from harness.command_line.choices import register
from harness.command_line.compose import from_mapping
from harness.command_line.explanations import explained
from harness.core.errors import HarnessError
from harness.jobs.job import jobs


class _PastHydra(BaseException):
    """Carries an error out of a job; of other exceptions Hydra would print what it thinks."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def launch(arguments: Sequence[str]) -> None:
    """Runs the job that the arguments name, several times with ``-m``.

    Raises:
        HarnessError: If the user made a mistake, or something ended the job early.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # or Hydra would print exceptions itself and exit
    register()
    sys.argv[:] = ["zero-cost-harness", *readable(arguments)]
    try:
        if (error := _what_ended_it()) is not None:
            raise error
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise explained(error, arguments) from error


def _what_ended_it() -> Exception | None:
    try:
        _composed()
    except _PastHydra as past:
        return past.error
    return None


@hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="config")
def _composed(values: DictConfig) -> None:
    try:
        _do(values)
    except Exception as error:
        raise _PastHydra(error) from error


def _do(values: DictConfig) -> None:
    config = from_mapping(OmegaConf.to_container(values, resolve=True))  # type: ignore[arg-type]
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        # Nothing but a table may stand in the standard output that another program reads.
        _tell_run(sys.stderr if config.options.get("format") == "csv" else sys.stdout)
    try:
        place = jobs.get(config.job).run(config)
    except SystemExit as stop:  # of a plug-in; it must not look as if the job were done
        if isinstance(stop.__context__, BrokenPipeError):  # which rich answers so
            raise stop.__context__ from None
        raise HarnessError(
            f"job={config.job} was ended by sys.exit({stop.code!r}) of something that it called; "
            "look at the plug-ins that it uses."
        ) from stop
    if place is not None:
        sys.stdout.write(f"Results: {place}\n")


def _tell_run(stream: TextIO) -> None:
    """Heads the output of one run of a sweep with the overrides that set it apart."""
    overrides = HydraConfig.get().overrides.task
    own = [word for word in overrides if word not in sys.argv] or overrides
    stream.write(f"\n{'─' * 3} {' '.join(own)}\n")
    stream.flush()

"""The command line: compose the configuration, run one job, say where the results are.

python -m harness space=nb201 task=cifar100 seed=0..4
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.text import Text

from harness.errors import HarnessError


def config_folder() -> Path:
    """Returns ``conf/``: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


@hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="config")
def run(values: DictConfig) -> None:
    """Runs the job that the configuration names."""
    try:
        from harness.config import from_mapping  # noqa: PLC0415 - keeps --help quick
        from harness.jobs import jobs  # noqa: PLC0415

        config = from_mapping(values)
        result = jobs.get(config.job)(config)
    except HarnessError as error:  # here, before Hydra adds a line of its own
        sys.exit(complain(error))
    Console().print(f"Results: {result}", highlight=False, markup=False, soft_wrap=True)


def complain(error: Exception) -> int:
    """Prints a mistake of the user as one sentence and returns the exit status."""
    sentence = " ".join(str(error).splitlines())
    Console(stderr=True).print(
        Text.assemble(("Error:", "bold red"), f" {sentence}"), soft_wrap=True
    )
    return 1


def main() -> int:
    """Runs the command line; a mistake of the user is one sentence and exit status 1."""
    # Without this, Hydra prints exceptions itself and exits.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        run()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        from harness.hydra_errors import explained  # noqa: PLC0415 - keeps --help quick

        return complain(explained(error))
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped; what is finished is kept. Run the same command again.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command line: compose the configuration, run one job, say where the results are.

python -m harness space=nb201 task=cifar100 seed=0..4
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Runs the command line; a mistake of the user is one sentence and exit status 1."""
    from harness.core.errors import HarnessError

    arguments = sys.argv[1:]
    try:
        if {"--version", "--help", "-h"} & set(arguments):
            _tell(arguments)
        else:
            _launch(arguments)
        sys.stdout.flush()
    except HarnessError as error:
        return complain(error)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped; what is finished is kept. Run the same command again.\n")
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


def _tell(arguments: list[str]) -> None:
    from harness.command_line.help_text import help_text, version

    sys.stdout.write((version() if "--version" in arguments else help_text(arguments)) + "\n")


def _launch(arguments: list[str]) -> None:
    from harness.command_line.launch import launch

    launch(arguments)


def complain(error: Exception) -> int:
    """Prints a mistake of the user as one sentence and returns the exit status."""
    from rich.console import Console
    from rich.text import Text

    sentence = " ".join(str(error).splitlines())
    Console(stderr=True).print(
        Text.assemble(("Error:", "bold red"), f" {sentence}"), soft_wrap=True
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())

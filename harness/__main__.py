"""The command line: compose the configuration, run one job, say where the results are.

python -m harness space=nb201 task=cifar100 seed=0..4
"""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line; a mistake of the user is one sentence and exit status 1."""
    from harness.command_line.endings import ended
    from harness.command_line.interrupts import answered
    from harness.command_line.streams import check_folder, prepare_streams

    try:
        prepare_streams()
        check_folder()
        with answered():
            _run(sys.argv[1:])
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        return ended(error)
    return 0


def _run(arguments: list[str]) -> None:
    flags = {word for word in arguments if word.startswith("-")}
    if arguments[:1] == ["--complete"]:
        from harness.command_line.completion import completed

        said = completed(arguments[1])
    elif "--completion" in flags:
        from harness.command_line.shells import shell_script

        said = [shell_script(arguments[-1])]
    elif {"--version", "--help", "-h"} & flags:
        from harness.command_line.help_text import help_text, version

        said = [version() if "--version" in arguments else help_text(arguments)]
    else:
        from harness.command_line.launch import launch

        launch(arguments)
        return
    sys.stdout.writelines(f"{line}\n" for line in said)


if __name__ == "__main__":
    sys.exit(main())

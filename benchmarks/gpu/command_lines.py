"""Which command lines a target of the Makefile runs, without running them.

    python -m benchmarks.gpu.command_lines FILE space=nb201 ...

notes its arguments in FILE. Put in the place of ``HARNESS``, it tells what a target would do, loops
included, so that the study is defined in the Makefile and nowhere else.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path


def of_target(target: str) -> list[list[str]]:
    """Returns the arguments of every run of the harness that ``make TARGET`` starts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines"
        noting = shlex.join([sys.executable, "-m", "benchmarks.gpu.command_lines", str(file)])
        # Nothing is to be installed, the package that runs is the one that is asked.
        subprocess.run(
            ["make", "--silent", "--assume-old=install", target, f"HARNESS={noting}"], check=True
        )
        return [json.loads(line) for line in file.read_text().splitlines()]


if __name__ == "__main__":
    with Path(sys.argv[1]).open("a") as lines:
        lines.write(json.dumps(sys.argv[2:]) + "\n")

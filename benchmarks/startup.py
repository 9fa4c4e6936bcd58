"""How long a user waits before the first score: the command line in fresh processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import Any

import pandas as pd

from benchmarks.timing import in_turn


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times torch alone, the help text, a wrong key, and runs with and without anything to do."""
    with tempfile.TemporaryDirectory() as folder:
        runs = iter(range(100))

        def two_scores(results: object) -> None:
            place = f"results={folder}/{results}"
            _run("-m", "harness", "task=digits", "n=2", "proxies=[swap]", place)

        seconds = in_turn(
            {
                "import_torch": lambda: _run("-c", "import torch"),
                "import_api": lambda: _run("-c", "from harness import api"),
                "help": lambda: _run("-m", "harness", "--help"),
                "wrong_key": lambda: _run("-m", "harness", "spce=nb201", status=1),
                "two_scores_and_figures": lambda: two_scores(next(runs)),
                "nothing_to_do": lambda: two_scores("same"),  # but in the turn to warm up
            },
            repeats=2,
        )
    table = pd.DataFrame({"what": list(seconds), "seconds": list(seconds.values())})
    return table, {"help_over_import_torch": seconds["help"] / seconds["import_torch"]}


def _run(*arguments: str, status: int = 0) -> None:
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True)
    assert done.returncode == status, done.stderr

"""How long a user waits before the first score: the command line in fresh processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import Any

import pandas as pd

from benchmarks.timing import in_turn


def measure() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Times importing torch alone, the help text, and a whole run of two architectures."""
    with tempfile.TemporaryDirectory() as folder:
        runs = iter(range(100))

        def first_score() -> None:
            # A folder of its own for each run, or there would be nothing left to score.
            results = f"results={folder}/{next(runs)}"
            _run("-m", "harness", "task=digits", "n=2", "proxies=[swap]", results)

        seconds = in_turn(
            {
                "import_torch": lambda: _run("-c", "import torch"),
                "import_api": lambda: _run("-c", "from harness import api"),
                "help": lambda: _run("-m", "harness", "--help"),
                "two_scores_and_figures": first_score,
            },
            repeats=2,
        )
    table = pd.DataFrame({"what": list(seconds), "seconds": list(seconds.values())})
    return table, {"help_minus_import_torch_seconds": seconds["help"] - seconds["import_torch"]}


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

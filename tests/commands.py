"""Runs the command line as a user does, the main job on a tiny truth table of the test's own."""

import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

from hydra.core.global_hydra import GlobalHydra

import harness.__main__
from harness.spaces.space import spaces

ROOT = Path(__file__).resolve().parent.parent
TINY = [
    *("task=digits", "truth=csv", "truth.path=truth.csv", "n=4"),
    *("batch_size=8", "swap.images=8", "ntk.images=8"),
]
RESULT = Path("results/main/nb201/digits")
SHARDS = Path("results/.work/scores/nb201/digits")


def write_truth(folder: Path, n: int = 40) -> None:
    """Writes ``truth.csv`` with n architectures of NAS-Bench-201 and distinct accuracies."""
    keys = spaces.get("nb201").sample(n, seed=0)
    rows = "".join(f"{key},{50 + rank}\n" for rank, key in enumerate(keys))
    (folder / "truth.csv").write_text("key,value\n" + rows)


def start(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.Popen[str]:
    """Starts ``python -m harness`` in ``folder``, with ``path`` in front of the import path."""
    search = os.pathsep.join(str(p) for p in (path, ROOT) if p)
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *_with_tiny(arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": search},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def call(folder: Path, *arguments: str) -> int:
    """Runs the command line in ``folder`` within this process and returns its exit status."""
    GlobalHydra.instance().clear()
    with chdir(folder), patch("sys.argv", ["harness", *_with_tiny(arguments)]):
        return harness.__main__.main()


def _with_tiny(arguments: tuple[str, ...]) -> list[str]:
    """Puts what is tiny before the arguments of the main job; other jobs have other keys."""
    main = not any(word.startswith(("job=", "-")) for word in arguments if word != "-m")
    return [*(TINY if main else []), *arguments]

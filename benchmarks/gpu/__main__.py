"""Runs every part in a process of its own, each within its time: ``make gpu OUT=... LIMIT=540``.

A part that hangs or fails costs its own time and nothing else. Its results are on disk as far as it
came, and ``report.md`` is written anew after every part. Only the standard library is needed here:
the packages that the machine lacks are unpacked from the kit first.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple

from benchmarks.gpu.part import KIT
from benchmarks.gpu.report import write_report
from benchmarks.gpu.sharing import shared_gpu

MODULES = {
    "antlr4_python3_runtime": "antlr4",
    "hydra_core": "hydra",
    "markdown_it_py": "markdown_it",
}
"""What wheels hold, where that is not their own name."""

KILL = 5.0  # seconds that a killed process may take to go
END = 10.0  # seconds for the report and the last archive


class Share(NamedTuple):
    """A part, its share of the time and the work that is packed when it has ended."""

    name: str
    weight: float
    work: str = ""


PARTS = (
    Share("agreement", 0.2),
    Share("speed", 0.2),
    Share("study", 0.4, work="study"),
    Share("searches", 0.2, work="searches"),
)


def main(arguments: list[str]) -> None:
    """Runs what ``OUT DEVICE LIMIT [PART ...]`` asks for."""
    started = time.monotonic()
    out, device, limit = Path(arguments[0]), arguments[1], float(arguments[2])
    parts = [part for part in PARTS if not arguments[3:] or part.name in arguments[3:]]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        ended: list[dict[str, Any]] = []
        with shared_gpu(prepared(Path(scratch)), Path(scratch)) as environment:
            for i, part in enumerate(parts):
                left = started + limit - END - time.monotonic()
                # What earlier parts did not need is for the later ones.
                seconds = left * part.weight / sum(later.weight for later in parts[i:])
                ended.append(run_part(part, device, out, max(seconds, 1.0), environment))
                if part.work:
                    pack(Path(scratch) / part.work, out / f"{part.work}.tar.gz")
                write_report(out, device, limit, ended)
    sys.stdout.write((out / "report.md").read_text())


def prepared(scratch: Path) -> dict[str, str]:
    """Unpacks the wheels of what this Python lacks; returns the environment of the parts."""
    site = scratch / "site"
    site.mkdir()
    for wheel in sorted((KIT / "wheels").glob("*.whl")):
        package = wheel.name.partition("-")[0].lower()
        if find_spec(MODULES.get(package, package)) is None:
            with zipfile.ZipFile(wheel) as archive:  # they are pure Python
                archive.extractall(site)
    name_commit()
    paths = [str(Path.cwd()), str(site), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "HARNESS_MIRROR": str((KIT / "mirror").resolve()),
        "GPU_WORK": str(scratch),
        "OMP_NUM_THREADS": "1",
    }


def name_commit() -> None:
    """Writes down which commit this is, where the tree travelled without its history."""
    facts = KIT / "kit.json"
    if facts.exists() and not Path(".git").exists():
        commit = json.loads(facts.read_text())["commit"] or ""
        Path("harness/exported_commit.txt").write_text(f"{commit}\n")


def run_part(
    part: Share, device: str, out: Path, seconds: float, environment: dict[str, str]
) -> dict[str, Any]:
    """Runs a part and tells how it ended and how long it took."""
    started = time.monotonic()
    own = max(seconds - KILL, 1.0)
    command = [sys.executable, "-m", f"benchmarks.gpu.{part.name}", device, str(out), str(own)]
    with (out / "log.txt").open("ab") as log:
        log.write(f"== {part.name}\n".encode())
        log.flush()
        how = run_command(command, seconds, log, environment)
    took = time.monotonic() - started
    return {"part": part.name, "ended": how, "seconds": round(took, 1), "of": round(seconds, 1)}


def run_command(
    command: list[str], seconds: float, log: IO[bytes], environment: dict[str, str]
) -> str:
    """Runs a command; when its time is up, it and all that it has started are killed."""
    process = subprocess.Popen(
        command, stdout=log, stderr=log, env=environment, start_new_session=True
    )
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return "was stopped"
    finally:
        kill(process)
    return f"failed with status {status}" if status else "finished"


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and what it has started; one that hangs in the driver is left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(KILL)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass


def pack(folder: Path, archive: Path) -> None:
    """Packs what a part has finished into one file; hidden files are not finished.

    Small tables repeat their schema: compressed they are a seventeenth, and a file that is too
    large to come back is lost with all that it holds.
    """
    if folder.is_dir():
        with tarfile.open(archive, "w:gz") as tar:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    tar.add(path, arcname=path.relative_to(folder))


if __name__ == "__main__":
    main(sys.argv[1:])

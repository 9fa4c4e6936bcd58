"""``job=paper``: the paper's figures and tables from stored scores; nothing is scored here."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import harness
from harness import provenance
from harness.config import Config
from harness.errors import DataError, HarnessError, unknown
from harness.files import atomic
from harness.jobs.base import jobs
from harness.jobs.work import console
from harness.paper import Results, artefacts

SETS = ("all", "figures", "tables")


def paper(config: Config) -> Path:
    """Draws what ``paper=`` names, from ``results=FOLDER``.

    What can be drawn is drawn; what lacks stored results is named at the end.

    Returns:
        The folder ``results/paper``.

    Raises:
        HarnessError: If a name is unknown or something lacked its results.
    """
    results = Results(Path(config.results))
    folder = results.folder / "paper"
    lacking = []
    for name in (names := chosen(config.paper)):
        try:
            artefacts.get(name).write(results, folder)
        except DataError as error:
            lacking.append(name)
            console.print(f"{name}: {error}", highlight=False, markup=False, soft_wrap=True)
        else:
            console.print(f"{name} drawn", highlight=False, markup=False)
    _provenance(folder, [name for name in names if name not in lacking])
    if lacking:
        raise HarnessError(
            f"{', '.join(lacking)} could not be drawn for lack of stored results, as said above; "
            f"the other {len(names) - len(lacking)} are in {folder}."
        )
    return folder


def chosen(asked: object) -> list[str]:
    """Returns the artefacts that ``all``, ``figures``, ``tables``, a name or a list names.

    Raises:
        HarnessError: If a name is unknown, or none is given.
    """
    names: list[str] = []
    for name in map(str, asked if isinstance(asked, (list, tuple)) else [asked]):
        if name in SETS:
            kinds = {"all": ("figure", "table"), "figures": ("figure",), "tables": ("table",)}
            names += [one for one in artefacts if artefacts.get(one).kind in kinds[name]]
        elif name in artefacts:
            names.append(name)
        else:
            raise unknown("artefact of the paper", name, [*artefacts, *SETS])
    if not names:
        raise HarnessError("paper=[] names nothing; write paper=figure4 or paper=all.")
    return list(dict.fromkeys(names))


def _provenance(folder: Path, drawn: list[str]) -> None:
    """Says which code drew the latest artefacts; that of the scores lies beside these."""
    record = {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "drawn": drawn,
        "harness": harness.__version__,
        "commit": provenance.commit(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "scipy", "pandas", "matplotlib")},
    }
    with atomic(folder / "run.json") as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


jobs.add("paper", paper)

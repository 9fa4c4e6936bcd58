"""``job=paper``: the paper's figures and tables from stored scores; nothing is scored here."""

from __future__ import annotations

from pathlib import Path

from harness import provenance
from harness.config import Config
from harness.errors import DataError, HarnessError, unknown
from harness.jobs.base import jobs
from harness.paper import Results, artefacts
from harness.results import RECORD
from harness.runs.work import console

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")
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
    drawn = [name for name in names if name not in lacking]
    provenance.save(folder / RECORD, {"drawn": drawn}, PACKAGES)  # of the drawing, not the scores
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


jobs.add("paper", paper)

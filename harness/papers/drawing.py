"""Draws artefacts from stored results into one folder, which says what each of them rests on."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from harness.config import Config
from harness.core.errors import DataError, HarnessError, unknown
from harness.core.machine import commit
from harness.executors.progress import console
from harness.papers.artefact import FORMATS, artefacts
from harness.papers.stored_results import StoredResults
from harness.results.derived import rests_on, write_record
from harness.results.folder import checked, read_record, replacing
from harness.results.layout import RECORD, study_of

SETS = {"all": ("figure", "table"), "figures": ("figure",), "tables": ("table",)}


def draw(config: Config, asked: object, formats: object, of: str) -> Path:
    """Draws what can be drawn; what lacks stored results is named at the end.

    Artefacts that the folder holds already and that are not drawn anew stay as they are.

    Args:
        config: The run.
        asked: ``all``, ``figures``, ``tables``, a name, or a list of these.
        formats: One of ``FORMATS`` or a list.
        of: The study whose scores are shown.

    Returns:
        The folder, ``results/paper`` unless another study is named.

    Raises:
        HarnessError: If a name is unknown or something lacked its results.
    """
    names, suffixes = chosen(asked), _known(formats)
    results = StoredResults(Path(config.results), of)
    folder = results.folder / study_of(config)
    made: dict[str, Any] = {}
    with replacing(folder) as fresh:
        for name in names:
            try:
                made[name] = _draw(name, results, fresh, suffixes)
            except DataError as error:
                console.print(f"{name}: {error}", highlight=False, markup=False, soft_wrap=True)
            else:
                console.print(f"{name} drawn", highlight=False, markup=False)
        kept = _kept(folder, fresh, made)
        write_record(fresh, config, artefacts=dict(sorted((kept | made).items())))
    if lacking := [name for name in names if name not in made]:
        raise HarnessError(
            f"{', '.join(lacking)} could not be drawn for lack of stored results, as said above; "
            f"the other {len(made)} are in {folder}."
        )
    return folder


def chosen(asked: object) -> list[str]:
    """Returns the artefacts that ``all``, ``figures``, ``tables``, a name or a list names.

    Raises:
        HarnessError: If a name is unknown, or none is given.
    """
    names: list[str] = []
    for name in _listed(asked):
        if name in SETS:
            names += [one for one in artefacts if artefacts.get(one).kind in SETS[name]]
        elif name in artefacts:
            names.append(name)
        else:
            raise unknown("artefact of a paper", name, [*artefacts, *SETS])
    if not names:
        raise HarnessError("paper=[] names nothing; write paper=figure4 or paper=all.")
    return list(dict.fromkeys(names))


def _listed(asked: object) -> list[str]:
    return list(map(str, asked if isinstance(asked, (list, tuple)) else [asked]))


def _known(formats: object) -> list[str]:
    suffixes = _listed(formats)
    for one in suffixes:
        if one not in FORMATS:
            raise unknown("format", one, FORMATS)
    return suffixes


def _draw(
    name: str, results: StoredResults, folder: Path, formats: Collection[str]
) -> dict[str, Any]:
    """Draws one artefact and returns what the record says of it."""
    results.used.clear()
    paths = artefacts.get(name).write(results, folder, formats)
    return {
        "files": [path.name for path in paths],
        "results": rests_on(results.folder, results.used),
        "commit": commit(),
    }


def _kept(folder: Path, fresh: Path, made: Collection[str]) -> dict[str, Any]:
    """Copies the artefacts that are not drawn anew; returns what the record says of them."""
    if not (folder / RECORD).exists():
        return {}
    kept = {
        name: said
        for name, said in read_record(folder).get("artefacts", {}).items()
        if name not in made
    }
    for said in kept.values():
        for file in said["files"]:
            shutil.copy2(checked(folder, file), fresh)
    return kept

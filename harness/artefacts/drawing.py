"""Draws artefacts from stored results into one folder, which says what each of them rests on."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from harness.artefacts.artefact import FORMATS, Artefact, Artefacts
from harness.artefacts.stored_results import StoredResults
from harness.config import Config
from harness.core.errors import DataError, HarnessError, unknown
from harness.core.machine import commit
from harness.executors.progress import console
from harness.figures import style
from harness.results.derived import rests_on, write_record
from harness.results.folder import checked, read_record, replacing
from harness.results.layout import RECORD, study_of

ALL = "all"
SETS = {"figures": "figure", "tables": "table"}


def draw(
    config: Config,
    artefacts: Artefacts,
    asked: object,
    formats: object,
    of: str,
    *,
    bare: bool = False,
    ranks: bool = False,
) -> Path:
    """Draws what can be drawn; what lacks stored results is named at the end.

    Artefacts that the folder holds already and that are not drawn anew stay as they are.

    Args:
        config: The run.
        artefacts: Those that there are.
        asked: ``all``, ``figures``, ``tables``, a name, or a list of these.
        formats: One of ``FORMATS`` or a list.
        of: The study whose scores are shown.
        bare: Whether pictures have no heading.
        ranks: Whether scatter plots show ranks.

    Returns:
        The folder ``results/<study>``.

    Raises:
        HarnessError: If a name is unknown or something lacked its results.
    """
    names, suffixes = chosen(artefacts, asked), _known(formats)
    results = StoredResults(Path(config.results), of)
    folder = results.folder / study_of(config)
    made: dict[str, Any] = {}
    with style.drawing(bare=bare, ranks=ranks), replacing(folder) as fresh:
        for name in names:
            try:
                made[name] = _draw(artefacts.get(name), results, fresh, suffixes)
            except DataError as error:
                _say(f"{name}: {error}")
            else:
                _say(made[name].get("finding") or f"{name} drawn")
        kept = _kept(folder, fresh, made)
        write_record(fresh, config, artefacts=dict(sorted((kept | made).items())))
    if lacking := [name for name in names if name not in made]:
        raise HarnessError(
            f"{', '.join(lacking)} could not be drawn for lack of stored results, as said above; "
            f"the other {len(made)} are in {folder}."
        )
    return folder


def chosen(artefacts: Artefacts, asked: object) -> list[str]:
    """Returns the artefacts that ``all``, ``figures``, ``tables``, a name or a list names.

    ``all`` of them are drawn chapter by chapter.

    Raises:
        HarnessError: If a name is unknown, or none is given.
    """
    listed = sorted(artefacts.values(), key=lambda one: one.chapter)
    sets = {ALL: [one.name for one in listed]}
    for name, kind in SETS.items():
        if own := [one.name for one in listed if one.kind == kind]:
            sets[name] = own
    names: list[str] = []
    for name in _listed(asked):
        if name not in artefacts and name not in sets:
            raise unknown(artefacts.kind, name, [*artefacts, *sets])
        names += sets.get(name, [name])
    if not names:
        raise HarnessError(f"[] names no {artefacts.kind}; write one of its names, or all.")
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
    one: Artefact, results: StoredResults, folder: Path, formats: Collection[str]
) -> dict[str, Any]:
    """Draws one artefact and returns what the record says of it."""
    results.used.clear()
    drawn = one.draw(results)
    said = {"question": one.question, "chapter": one.chapter, "finding": drawn.finding}
    return {
        **{name: value for name, value in said.items() if value},
        "files": [path.name for path in drawn.write(folder, formats)],
        "results": rests_on(results.folder, results.used),
        "commit": commit(),
    }


def _say(text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


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

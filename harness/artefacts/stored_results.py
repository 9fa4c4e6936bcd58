"""The folder of results that artefacts are made from."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import DataError
from harness.results.finished import Result, find_results
from harness.results.layout import MAIN, RECORD, SCORES


class StoredResults:
    """A folder of results, ``<folder>/<study>/<space>/<task>``; every file is read once.

    Args:
        folder: Usually ``results``.
        study: The study whose scores the artefacts show, unless they name another.

    Attributes:
        used: The results that were read; who draws empties it to learn what an artefact rests on.
    """

    def __init__(self, folder: Path, study: str = MAIN) -> None:
        self.folder = folder
        self.study = study
        self.used: set[Path] = set()
        self._read: dict[Path, Result] = {}

    def has(self, space: str, task: str, *, study: str = "") -> bool:
        """Tells whether a result is stored."""
        return (self.folder / (study or self.study) / space / task / SCORES).is_file()

    def column(self, space: str, task: str, *, study: str = "") -> Result:
        """Returns one result, whose scores and record are what an artefact may rely on.

        Args:
            space: Search space.
            task: Task.
            study: The study that it belongs to, if it is not the one that artefacts show.

        Raises:
            DataError: If there is none, or it is broken or ranks undefined scores another way.
        """
        path = self.folder / (study or self.study) / space / task
        if path not in self._read:
            self._read[path] = _trusted(Result(space, task, path))
        self.used.add(path)
        return self._read[path]

    def columns(self) -> list[Result]:
        """Returns all results of the study, by space and task.

        Raises:
            HarnessError: If there are none.
            DataError: If one is broken or ranks undefined scores another way.
        """
        found = find_results(self.folder, self.study)
        return [self.column(one.space, one.task) for one in found]

    def reading(self, folders: list[Path]) -> list[Path]:
        """Returns results of another kind, which an artefact reads itself, and remembers them."""
        self.used.update(folders)
        return folders


def _trusted(result: Result) -> Result:
    space, task, folder = result.space, result.task, result.folder
    if not all((folder / file).is_file() for file in (SCORES, RECORD)):
        raise DataError(
            f"There is no result in {folder}; make it with `make study` or `python -m harness "
            f"space={space} task={task}`."
        )
    try:
        found = set(zip(result.scores["space"], result.scores["task"], strict=True))
        inputs, truth = result.record["inputs"], result.record["truth"]
        complete = {"stand_in", "source"} <= set(inputs) and "n" in truth
        policy = result.record["conditions"]["undefined"]
    except (KeyError, TypeError) as error:
        raise DataError(f"The result in {folder} lacks {error}; make it again.") from error
    if found != {(space, task)} or not complete:
        raise DataError(f"{folder} is not a result of {space}/{task}; make it again.")
    if policy != "worst":
        raise DataError(
            f"The result in {folder} was made with undefined={policy}, but artefacts rank "
            "undefined scores last; make it again with undefined=worst."
        )
    return result

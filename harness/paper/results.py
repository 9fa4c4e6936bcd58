"""The folder of results that the paper's artefacts are made from."""

from __future__ import annotations

from pathlib import Path

from harness.errors import DataError
from harness.results import RECORD, SCORES, Result


class Results:
    """A folder of results, ``<folder>/<space>/<task>``; every file is read once.

    Args:
        folder: Usually ``results``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, Result] = {}

    def has(self, space: str, task: str, *, under: str = "") -> bool:
        """Tells whether a result is stored."""
        return (self._path(space, task, under) / SCORES).is_file()

    def column(self, space: str, task: str, *, under: str = "") -> Result:
        """Returns one result, whose scores and record are what an artefact may rely on.

        Args:
            space: Search space.
            task: Task.
            under: A folder of further results below this one, for example ``ablation``.

        Raises:
            DataError: If there is none, or it is broken or ranks undefined scores another way.
        """
        path = self._path(space, task, under)
        if path not in self._read:
            self._read[path] = _checked(Result(space, task, path))
        return self._read[path]

    def _path(self, space: str, task: str, under: str) -> Path:
        return self.folder / under / space / task


def _checked(result: Result) -> Result:
    space, task, folder = result.space, result.task, result.folder
    if not all((folder / file).is_file() for file in (SCORES, RECORD)):
        raise DataError(
            f"There is no result in {folder}; make it with `make scores` or `python -m harness "
            f"space={space} task={task}`."
        )
    try:
        found = set(zip(result.scores["space"], result.scores["task"], strict=True))
        inputs, truth = result.record["inputs"], result.record["truth"]
        complete = {"stand_in", "source"} <= set(inputs) and "n" in truth
        policy = result.record.get("config", {}).get("undefined", "worst")
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"The result in {folder} lacks {error}; make it again.") from error
    if found != {(space, task)} or not complete:
        raise DataError(f"{folder} is not a result of {space}/{task}; make it again.")
    if policy != "worst":
        raise DataError(
            f"The result in {folder} was made with undefined={policy}, but the paper's artefacts "
            "rank undefined scores last; make it again with undefined=worst."
        )
    return result

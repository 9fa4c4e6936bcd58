"""``job=rerun``: a result once more, from its run.json."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from harness.config import Config
from harness.core.errors import HarnessError, NotReproducedError
from harness.jobs.configured import configured
from harness.jobs.job import job, jobs

S = TypeVar("S")


@job(one_space=False)
def rerun(config: Config, *, run: str = "", n: int | None = None, keep: str = "") -> Path | None:
    """Makes a stored result again from its run.json: are the values equal?

    The recorded configuration is composed and run as it was, with nothing of what is stored; then
    every value is compared. ``executor=`` is this machine's.

    Args:
        config: ``executor`` says where it runs, ``truth.path`` where your own accuracies lie.
        run: The result: its folder, or the run.json in it.
        n: Fewer architectures per seed, the first of those that are stored; null: as recorded.
        keep: Folder that keeps what is made, so that a run that was stopped goes on; empty: nothing
            is kept.

    Returns:
        The folder of the new result, if it is kept.

    Raises:
        NotReproducedError: If values differ by more than rounding.
    """
    from harness.core.temporary import nothing_kept
    from harness.results.folder import read_record
    from harness.results.layout import RECORD

    if not run:
        raise HarnessError("job=rerun needs run=results/STUDY/SPACE/TASK/run.json.")
    folder = Path(run).parent if Path(run).name == RECORD else Path(run)
    record = read_record(folder)
    asked = _recorded(record, config, n)
    if keep:
        if folder.resolve().is_relative_to(Path(keep).resolve()):
            raise HarnessError(f"keep={keep} holds the result itself; name another folder.")
        return _again(asked, folder, record, Path(keep))
    with nothing_kept() as temporary:
        _again(asked, folder, record, temporary)
    return None


def _recorded(record: dict[str, Any], config: Config, n: int | None) -> Config:
    """Returns the configuration of a record, as this machine runs it.

    Raises:
        HarnessError: If this version has no such job or key, or the job reads stored results.
    """
    given = dict(record["config"])
    name = str(given["job"])
    if "of" in given:
        raise HarnessError(f"job={name} reads stored results and makes none; run it again itself.")
    given.pop("executor", None)
    # What added up in the folder; the configuration is that of the last run alone.
    resolved = record.get("resolved", {})
    held = {"proxies": resolved.get("proxies"), "seed": resolved.get("seeds")}
    held |= resolved.get("settings", {})
    given |= {key: value for key, value in held.items() if key in given and value is not None}
    if n is not None:
        if "n" not in given:
            raise HarnessError(f"job={name} has no n; leave it out.")
        given["n"] = n
    made = configured(given, _make)
    if given:
        raise _other_version(f"job={name} has no key {next(iter(given))!r}")
    if made.truth.path is not None and config.truth.path is None:
        raise HarnessError(f"This result rests on {made.truth.path}; name it: truth.path=FILE.")
    truth = replace(made.truth, path=config.truth.path)
    return replace(made, truth=truth, executor=config.executor)


def _make(kind: type[S], values: Any) -> S:
    try:
        return kind(**values)
    except TypeError as error:
        raise _other_version(str(error)) from error


def _other_version(why: str) -> HarnessError:
    return HarnessError(
        f"The result was made by another version of the harness ({why}); its run.json says which: "
        "harness and commit."
    )


def _again(asked: Config, folder: Path, record: dict[str, Any], results: Path) -> Path:
    """Makes the result and says how it compares.

    Raises:
        NotReproducedError: If values differ by more than rounding.
    """
    from rich.console import Console

    from harness.core.tabular import print_table
    from harness.results.equality import compare, reproduced, verdict
    from harness.results.folder import differences, read_record

    # What a run tells is of a result that is not kept, and what to type next.
    with redirect_stdout(StringIO()):
        place = jobs.get(asked.job).run(replace(asked, results=str(results)))
    if place is None:
        raise HarnessError(f"job={asked.job} leaves no result to compare.")
    found = compare(folder, place)
    print_table(f"{folder}, made again", [asdict(one) for one in found])
    other = differences(record.get("conditions", {}), read_record(place).get("conditions", {}))
    said = [f"Conditions differ: {key} was {was}, is {now}." for key, was, now in other]
    for line in (*said, verdict(found)):
        Console().print(line, highlight=False, markup=False, soft_wrap=True)
    if not reproduced(found):
        raise NotReproducedError(
            f"{folder} is not reproduced: values differ by more than rounding."
        )
    return place

"""Do our scores agree with the published ones, architecture by architecture?"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from harness import figures, stats, truth
from harness.config import Config
from harness.core.errors import HarnessError
from harness.results.derived import rests_on, write_record
from harness.results.finished import Result
from harness.results.folder import replacing
from harness.results.layout import result_path


def compare_published(config: Config, study: str) -> Path:
    """Compares the stored scores of a space and task with the published ones.

    Returns:
        The folder with ``agreement.csv``.

    Raises:
        HarnessError: If no architecture and proxy is in both.
        DataError: If the scores are not stored, or the published ones cannot be had.
    """
    ours = Result(config.space, config.task, Path(config.results, study, config.space, config.task))
    table = stats.agreement(ours.scores, truth.load_published(config.space, config.task))
    if table.empty:
        raise HarnessError(
            f"None of the architectures and proxies in {ours.folder} has a published score on "
            f"{config.task}; score more, for example with proxies=suite_zero."
        )
    folder = result_path(config)
    with replacing(folder) as fresh:
        figures.write_tables(table, fresh / "agreement")
        write_record(fresh, config, results=rests_on(config.results, [ours.folder]))
    title = f"{config.space} · {config.task}: our scores against the published ones"
    Console().print(figures.plain_table(table, title=title))
    return folder

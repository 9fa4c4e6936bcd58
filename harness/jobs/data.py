"""``job=data``."""

from __future__ import annotations

from harness.config import Config
from harness.core.tabular import check_format, print_table, write_csv
from harness.jobs.job import job


@job(one_space=False)
def data(config: Config, *, fetch: str = "", archive: str = "", format: str = "table") -> None:
    """Which outside files are here, and how are the others had?

    Args:
        config: What every job shares; nothing of it counts.
        fetch: Get one instead: an image set, a data set such as ``cifar10``, or a listed file.
        archive: Make the image set from another archive of the same images, for example
            ``cifar10_python``.
        format: ``table``, or ``csv`` on the standard output with nothing beside it.

    Raises:
        HarnessError: If there is no such file or format.
        DataError: If a file cannot be had.
    """
    from dataclasses import asdict
    from itertools import groupby

    from rich.console import Console

    from harness.inputs.inventory import inventory, obtain

    check_format(format)
    if fetch:
        for path in obtain(fetch, archive):
            Console().print(str(path), highlight=False, markup=False, soft_wrap=True)
        return
    found = inventory()
    if format == "csv":
        write_csv([asdict(one) for one in found])
        return
    for kind, group in groupby(found, key=lambda one: one.kind):
        rows = [{key: cell for key, cell in asdict(one).items() if key != "kind"} for one in group]
        print_table(f"{kind}s", rows)

"""``job=truth_tables``: makes the tables that the package bundles from their raw files."""

from __future__ import annotations

from pathlib import Path

from harness.config import Config
from harness.jobs.job import job


@job(one_space=False)
def truth_tables(config: Config) -> Path:
    """Makes the bundled tables of ground truth anew from their raw files, which are fetched.

    The cells of NAS-Bench-101 come first, enumerated from their definition in some minutes; its
    accuracies are stored in their order.

    Returns:
        The folder of the tables.
    """
    import numpy as np

    from harness.executors.progress import console
    from harness.spaces import nb101_enumeration, nb101_table
    from harness.truth import bundled

    nb101_table.write(np.array(list(nb101_enumeration.cells_by_hash().values()), dtype=np.uint32))
    for name in bundled.recipes:
        path = bundled.write(name)
        console.print(f"{path.stat().st_size:>9,} bytes  {path.name}", highlight=False)
    return bundled.FOLDER

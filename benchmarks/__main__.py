"""Speed as ratios, measured in one run: ``make bench``, or ``python -m benchmarks passes``.

Every variant runs on the same cells, batch and threads, in turn, so that a machine whose speed
drifts slows all of them. What is reported is the ratio of the sums over the cells.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import counting, naslib_ratio, passes, startup, study, swap, workers
from harness.core.machine import machine
from harness.results.table_files import write_tables
from harness.results.terminal import plain_table

SECTIONS = {
    "swap": swap.measure,
    "counting": counting.measure,
    "passes": passes.measure,
    "forward_only": passes.measure_forward_only,
    "seconds": passes.measure_proxies,
    "workers": workers.measure,
    "startup": startup.measure,
    "study": study.measure,
    "naslib_ratio": naslib_ratio.measure,
}
ASKED_FOR = ("naslib_ratio",)
"""What runs only by name: other people's code, which has to be there."""


def main(names: list[str]) -> None:
    """Runs the sections and writes a table and JSON for each."""
    for name in names or (name for name in SECTIONS if name not in ASKED_FOR):
        table, facts = SECTIONS[name]()
        record = {
            "section": name,
            **facts,
            "machine": machine(),
            "rows": json.loads(table.to_json(orient="records")),
        }
        folder = Path(__file__).parent / "results"
        (folder / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
        write_tables(table, folder / name, formats=("md",), float_format="%.3g")
        Console().print(plain_table(table, title=name, float_format="%.3g"))
        Console().print({key: value for key, value in facts.items() if key != "note"})


if __name__ == "__main__":
    main(sys.argv[1:])

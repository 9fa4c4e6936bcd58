"""The leaderboard over columns, as the analysis of that name left it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.report.other_results import link
from harness.report.page_tables import Table, table
from harness.results.folder import read_record
from harness.results.layout import RECORD
from harness.results.stored_table import stored_table

RANKING, PAIRS = "leaderboard.csv", "leaderboard_pairs.csv"
NAMES = {
    "low": "95 % from",
    "high": "to",
    "spearman": "mean ρ",
    "better_than": "beats",
    "worse_than": "beaten by",
}


def read_board(folder: Path, page: Path) -> tuple[Table | None, list[dict[str, Any]]]:
    """Reads average ranks and the tests of every pair; None and nothing if there are none.

    Args:
        folder: Where the analyses lie.
        page: Folder of the page, from which links start.

    Returns:
        The ranking, and the rows of ``stats.leaderboard.Board.pairs``.

    Raises:
        DataError: If the record or a table cannot be read, or a table is not the recorded one.
    """
    if not (folder / RECORD).is_file() or RANKING not in read_record(folder).get("files", {}):
        return None, []
    ranking = table(
        stored_table(folder, RANKING),
        "Proxies by average rank",
        names=NAMES,
        file=link(folder / RANKING, page),
        limit=None,
    )
    pairs = stored_table(folder, PAIRS).astype(object)
    tests = pairs.where(pairs.notna(), None).to_dict("records")
    return ranking, [{str(name): value for name, value in row.items()} for row in tests]

"""Every number that the papers print beside ours, judged by intervals."""

from __future__ import annotations

import pandas as pd

from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.papers.comparison import COLUMNS, VERDICTS
from harness.papers.paper_artefacts import artefact
from harness.papers.swap.swap_comparison import swap_rows
from harness.papers.zero_cost_pt.zero_cost_pt_comparison import zero_cost_pt_rows


@artefact("compare", "table")
def compare(results: StoredResults) -> Drawn:
    """Compares everything that is stored, and says what is not."""
    rows = [*swap_rows(results), *zero_cost_pt_rows(results)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return Drawn({"compare": table, "compare_summary": counted(table)})


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """Counts, per source and artefact, what agrees, differs, is open, and is missing."""
    verdicts = table.groupby(["source", "artefact"], sort=False)["verdict"].value_counts()
    wide = verdicts.unstack(fill_value=0)  # noqa: PD010 - counts, nothing to aggregate
    wide = wide.reindex(columns=list(VERDICTS), fill_value=0)
    return wide.reset_index().rename_axis(columns=None)

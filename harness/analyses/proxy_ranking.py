"""Which proxy is best over all columns, and which differences are significant?"""

from __future__ import annotations

from harness import figures
from harness.analyses.by_column import each, enough
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError, HarnessError
from harness.stats.leaderboard import LEVEL, Board, alike, leaderboard


@analysis("leaderboard", "Which proxy is best, and how sure is that?", chapter=110)
def ranking(results: StoredResults) -> Drawn:
    """Average ranks with tests over columns and within them."""
    taken = each(results, enough)
    try:
        board = leaderboard({one.name: joined for one, joined in taken})
    except HarnessError as error:
        raise DataError(str(error)) from error
    table = board.ranking
    names = table["proxy"].tolist()
    picture = figures.critical_differences(
        names,
        table["average_rank"].tolist(),
        alike(names, board.pairs),
        "Proxies by their average rank",
        f"Over {len(taken)} columns, 1 is best. Bars join proxies that Wilcoxon's signed-rank test "
        f"over columns does not tell apart (Holm, {LEVEL:.0%}); critical difference: Nemenyi's; "
        f"that all rank alike: p = {board.friedman:.1g} (Friedman). "
        "Columns of one space are taken for independent, which they are not quite.",
        critical=board.critical,
    )
    tables = {
        "leaderboard": table,
        "leaderboard_pairs": board.pairs,
        "leaderboard_stability": board.stability,
    }
    return Drawn(tables, {"leaderboard": picture}, _finding(board))


def _finding(board: Board) -> str:
    first, second = board.ranking.iloc[0], board.ranking.iloc[1]
    told = int((board.pairs["p_holm"] < LEVEL).sum())
    within = int((board.pairs["better_in"] + board.pairs["worse_in"]).sum())
    comparisons = int(board.pairs["columns"].sum())
    return (
        f"{first['proxy']} has the best average rank, {first['average_rank']:.1f} "
        f"[{first['low']:.1f}, {first['high']:.1f}] of {len(board.ranking)} proxies over "
        f"{first['columns']} columns, before {second['proxy']} ({second['average_rank']:.1f}); "
        f"over columns {told} of {len(board.pairs)} pairs differ significantly, within columns "
        f"{within} of {comparisons} comparisons (Holm)."
    )

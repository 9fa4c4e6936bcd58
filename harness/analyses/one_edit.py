"""What does one operation do to accuracy, and what do scores make of it?"""

from __future__ import annotations

import pandas as pd

from harness import figures, stats
from harness.analyses.architectures import cells
from harness.analyses.by_column import by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate
from harness.results.finished import Result
from harness.spaces.cell_graph import CellGraph
from harness.stats.bias import ACCURACY
from harness.stats.operation_effects import EVERYWHERE, POINTS


@analysis("one_edit", "What does one operation do to accuracy and scores?", chapter=102)
def one_edit(results: StoredResults) -> Drawn:
    """Compares architectures that differ in one operation."""
    table = by_column(results, _of_column)
    anywhere = table[(table["place"] == EVERYWHERE) & (table["proxy"] != POINTS)]
    spaces = anywhere["column"].str.split("/").str[0]
    pictures = {
        f"one_edit_{space}": _picture(str(space), own) for space, own in anywhere.groupby(spaces)
    }
    return Drawn({"one_edit": table}, pictures, _finding(anywhere))


def _of_column(one: Result) -> pd.DataFrame:
    made_of = [[_made_of(architecture) for architecture in seed] for seed in cells(one)]
    return stats.operation_effects(one.joint, made_of)


def _made_of(architecture: tuple[CellGraph, ...]) -> tuple[list[str], list[str]]:
    """Returns the places of an architecture, in a cell if it has several, and their operations."""
    places: list[str] = []
    operations: list[str] = []
    for number, cell in enumerate(architecture):
        of = f"cell {number + 1}, " if len(architecture) > 1 else ""
        places += [f"{of}{source}\N{RIGHTWARDS ARROW}{target}" for source, target in cell.wiring]
        operations += cell.operations
    return places, operations


def _picture(space: str, table: pd.DataFrame) -> figures.Figure:
    exchange = table["from"] + " \N{RIGHTWARDS ARROW} " + table["to"]
    shown = table.assign(exchange=exchange).pivot_table(
        index="proxy", columns="exchange", values="change", sort=False
    )
    distance = shown.sub(shown.loc[ACCURACY]).abs().mean(axis=1)
    return figures.heatmap(
        shown.loc[distance.sort_values(kind="stable").index],
        title=f"How far one operation moves an architecture in the order, {space}",
        subtitle=f"Mean change of the rank (0 lowest, 1 highest) over pairs that differ in it "
        f"alone, at least {table['pairs'].min()} each; mean over {table['column'].nunique()} "
        f"columns. The closer to {ACCURACY}, the higher a proxy stands.",
        label="change of the rank",
    )


def _finding(table: pd.DataFrame) -> str:
    accuracy = table[table["proxy"] == ACCURACY]
    row = accuracy.assign(size=accuracy["change"].abs()).sort_values("size").iloc[-1]
    same = table[
        (table["column"] == row["column"])
        & (table["from"] == row["from"])
        & (table["to"] == row["to"])
        & (table["proxy"] != ACCURACY)
    ]
    low, high = same["change"].min(), same["change"].max()
    return (
        f"{row['to']} in place of {row['from']} moves accuracy most: its rank changes by "
        f"{estimate(row['change'], row['low'], row['high'])} of the sample ({row['column']}, "
        f"{row['pairs']} pairs); scores' ranks by {low:+.2f} to {high:+.2f}."
    ).replace("-", "\N{MINUS SIGN}")

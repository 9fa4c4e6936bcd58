"""Every printed number beside ours: difference, whether it is within tolerance, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from harness.core.errors import DataError
from harness.papers.artefact import Drawn, artefact
from harness.papers.stored_results import StoredResults
from harness.papers.swap import ablations, input_sizes, sizes
from harness.papers.swap import printed as published
from harness.results.finished import Result

Row = dict[str, Any]

TOLERANCE = 0.05  # of a correlation; a mean over 1000 architectures moves by about half of it
RELATIVE = 0.2  # of a count of patterns
RANGE = 0.1  # of the paper's range of sizes, whose ends it rounds
# How many architectures have an accuracy: in the whole benchmark, in Suite-Zero's table.
FULL = {"nb101": 423_624, "nb301": 11_221}
SWAP, SUITE = "SWAP", "NAS-Bench-Suite-Zero"
COLUMNS = [
    "source", "artefact", "column", "quantity", "paper", "ours", "difference", "tolerance",
    "within", "low", "high", "why",
]  # fmt: skip


@artefact("compare", "table")
def compare(results: StoredResults) -> Drawn:
    """Compares everything that is stored, and says what is not."""
    rows = [*_abstract(results), *_tables(results), *_table3(results), *_sizes(results)]
    rows += [*_suite_zero(results), *_unavailable()]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return Drawn({"compare": table, "compare_summary": counted(table)})


def counted(table: pd.DataFrame) -> pd.DataFrame:
    """Counts, per source and artefact, what is within tolerance, what is not, what is missing."""
    verdicts = table.groupby(["source", "artefact"], sort=False)["within"].value_counts()
    wide = verdicts.unstack(fill_value=0)  # noqa: PD010 - counts, nothing to aggregate
    wide = wide.reindex(columns=["yes", "no", "not here"], fill_value=0)
    return wide.reset_index().rename_axis(columns=None)


def compared(
    source: str,
    artefact: str,
    column: str,
    quantity: str,
    *,
    paper: float,
    ours: float,
    tolerance: float,
    why: str,
    interval: tuple[float, float] = (np.nan, np.nan),
) -> Row:
    """Returns one row; ``why`` is kept only where the difference is beyond the tolerance.

    A heat map of the benchmark prints 0.00 where a correlation is undefined, so 0 and NaN agree.
    """
    undefined = np.isnan(ours)
    both = undefined and paper == 0 and source == SUITE
    within = both or abs(ours - paper) <= tolerance + 1e-9
    reason = why
    if undefined and not both:
        reason = f"ours is undefined: all scores are equal; {why}"
    return {
        "source": source,
        "artefact": artefact,
        "column": column,
        "quantity": quantity,
        "paper": float(paper),
        "ours": float(ours),
        "difference": float(ours - paper),
        "tolerance": tolerance,
        "within": "yes" if within else "no",
        "low": interval[0],
        "high": interval[1],
        "why": "undefined in both" if both else "" if within else reason,
    }


def absent(source: str, artefact: str, column: str, quantity: str, why: str) -> Row:
    """Returns a row for what is not here."""
    return {
        "source": source,
        "artefact": artefact,
        "column": column,
        "quantity": quantity,
        "within": "not here",
        "why": why,
    }


def reasons(column: Result, seeds: int) -> str:
    """Lists how a stored result differs from the paper's: n, seeds, images, accuracies.

    Args:
        column: The stored result.
        seeds: How many the paper averages over.
    """
    pool = column.record["truth"]["n"]
    full = FULL.get(column.space, pool)
    found = [
        f"n = {column.n} instead of 1000" if column.n < 1000 else "",
        f"{column.seeds} instead of {seeds} seeds" if column.seeds < seeds else "",
        f"stand-in images ({column.images})" if column.stand_in else "",
        f"accuracies of {pool} instead of {full} architectures" if pool < full else "",
        "every seed holds nearly the same architectures" if column.n > pool / 2 else "",
        f"accuracy: {column.record['truth']['variant']}",
    ]
    return "; ".join(filter(None, found))


def _correlation(
    source: str, artefact: str, column: Result, proxy: str, *, paper: float, seeds: int, why: str
) -> Row:
    summary = column.summary_of(proxy)
    return compared(
        source,
        artefact,
        column.name,
        f"ρ of {proxy}",
        paper=paper,
        ours=summary["spearman_mean"],
        tolerance=TOLERANCE,
        why=f"{reasons(column, seeds)}; {why}",
        interval=(summary["spearman_low"], summary["spearman_high"]),
    )


def _abstract(results: StoredResults) -> Iterator[Row]:
    printed = published.published()["abstract"]
    space, task = printed["space"], printed["task"]
    why = "the paper names neither weights, batch nor the accuracy"
    for proxy, paper in printed["values"].items():
        if results.has(space, task):
            column = results.column(space, task)
            yield _correlation(SWAP, "abstract", column, proxy, paper=paper, seeds=5, why=why)
        else:
            yield absent(SWAP, "abstract", f"{space}/{task}", f"ρ of {proxy}", "not scored yet")


def _tables(results: StoredResults) -> Iterator[Row]:
    why = "the paper states neither images, weights nor repeats of these scores"
    for table in ("table4", "table5", "table6"):
        space = published.published()[table]["space"]
        try:
            column = ablations.stored(results, space)
            wide, _ = ablations.swept(column, table)
        except DataError:
            yield absent(SWAP, table, f"{space}/cifar10", "all rows", "not scored yet")
            continue
        for row in wide.to_dict("records"):
            plain = row["block"] == "none"
            name = "no regularisation" if plain else f"μ = {row['mu']:g}, σ = {row['sigma']:g}"
            shown = column.record["resolved"]["settings"]["swap"]["images"]
            images = f"; Ψ of {shown} images, at most 2^{shown}" if shown < 32 else ""
            head = "; Θ with the auxiliary head" if "ours_without_auxiliary" in row else ""
            yield compared(
                SWAP,
                table,
                column.name,
                f"ρ, {name}",
                paper=row["paper"],
                ours=row["ours"],
                tolerance=TOLERANCE,
                why=f"{reasons(column, 6)}{images}{head}; {why}",
            )


def _table3(results: StoredResults) -> Iterator[Row]:
    try:
        tidy = input_sizes.measured(results)
    except DataError:
        yield absent(SWAP, "table3", "darts_swap_c1/cifar10", "all rows", "not scored yet")
        return
    channels, images = input_sizes.NEAREST
    near = tidy[(tidy.channels == channels) & (tidy.images == images)]
    why = f"the paper names neither the networks nor μ and σ; here C={channels}, {images} images"
    for row in near.to_dict("records"):
        where = f"{row['side']}×{row['side']}"
        reason = f"n = {row['n']} instead of 1000; {why}" if row["n"] < 1000 else why
        for name, key, tolerance in (
            (f"mean of {row['proxy']}", "mean", RELATIVE * row["paper_mean"]),
            (f"ρ of {row['proxy']}", "spearman", TOLERANCE),
        ):
            yield compared(
                SWAP,
                "table3",
                where,
                name,
                paper=row[f"paper_{key}"],
                ours=row[key],
                tolerance=tolerance,
                why=reason,
            )


def _sizes(results: StoredResults) -> Iterator[Row]:
    for name, draw in sizes.ARTEFACTS.items():
        try:
            (row,) = draw(results).tables[name].to_dict("records")
        except DataError:
            yield absent(SWAP, name, "", "range of sizes", "not scored yet")
            continue
        tolerance = RANGE * (row["paper_largest"] - row["paper_smallest"])
        for end in ("smallest", "largest"):
            yield compared(
                SWAP,
                name,
                "",
                f"{end} size, {row['unit']}",
                paper=row[f"paper_{end}"],
                ours=row[end],
                tolerance=tolerance,
                why=f"another sample (n = {row['n']}); the paper gives a rounded range",
            )


def _suite_zero(results: StoredResults) -> Iterator[Row]:
    printed = published.suite_zero()
    why = "other sample, minibatch and weights, no augmentation"
    for name in printed.columns:
        space, _, task = str(name).partition("/")
        if not results.has(space, task):
            yield absent(SUITE, "heat map", str(name), "all proxies", "not scored yet")
            continue
        column = results.column(space, task)
        scored = set(column.scores["proxy"])
        for proxy, paper in printed[name].items():
            if proxy in scored:
                yield _correlation(
                    SUITE, "heat map", column, str(proxy), paper=paper, seeds=10, why=why
                )
            else:
                yield absent(SUITE, "heat map", str(name), f"ρ of {proxy}", "not scored")


def _unavailable() -> Iterator[Row]:
    for row in published.published()["unavailable"]:
        yield absent(SWAP, row["artefact"], "", row["what"], row["why"])

"""The numbers of the SWAP paper, and of the heat map that it extends, beside ours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.comparison import NEGLIGIBLE, Row, absent, compared, undefined_in_both
from harness.papers.swap import ablations, input_sizes, sizes
from harness.papers.swap import printed as published
from harness.papers.swap.selected_sizes import size_rows
from harness.results.finished import Result
from harness.stats.verdict import Estimate, exact, of_correlation, of_deviation, of_mean

RANGE = 0.1  # of the paper's range of sizes, whose ends it rounds
SAMPLE = 1000  # architectures of a printed correlation
SUITE_SEEDS = 10
# How many architectures have an accuracy: in the whole benchmark, in Suite-Zero's table.
FULL = {"nb101": 423_624, "nb301": 11_221}
SWAP, SUITE = "SWAP", "NAS-Bench-Suite-Zero"
NOT_SCORED = "not scored yet"


def swap_rows(results: StoredResults) -> Iterator[Row]:
    """Yields a row per printed number, and one per artefact that prints none or is not here."""
    for rows in (_abstract, _ablations, _input_sizes, _ranges):
        yield from rows(results)
    yield from size_rows(results, SWAP)
    for row in published.published()["unavailable"]:
        yield absent(SWAP, row["artefact"], "", row["what"], row["why"])
    yield from _suite_zero(results)


def reasons(column: Result, seeds: int, n: int | None = None) -> str:
    """Lists how a stored result differs from the paper's: n, seeds, draw, images, accuracies.

    Args:
        column: The stored result.
        seeds: How many the paper averages over.
        n: Draws per seed; None if all of them are different architectures.
    """
    n = column.n if n is None else n
    pool = column.record["truth"]["n"]
    full = FULL.get(column.space, pool)
    found = [
        f"n = {n} instead of {SAMPLE}" if n < SAMPLE else "",
        f"{column.n} different cells" if column.n < n else "",
        f"{column.seeds} instead of {seeds} seeds" if column.seeds < seeds else "",
        f"stand-in images ({column.images})" if column.stand_in else "",
        f"accuracies of {pool} instead of {full} architectures" if pool < full else "",
        "every seed holds nearly the same architectures" if column.n > pool / 2 else "",
        f"accuracy: {column.record['truth']['variant']}",
    ]
    return "; ".join(filter(None, found))


def _correlation(
    source: str, artefact: str, column: Result, proxy: str, *, paper: Estimate, seeds: int, why: str
) -> Row:
    summary = column.summary_of(proxy)
    ours = Estimate(*(summary[f"spearman_{name}"] for name in ("mean", "low", "high")))
    row = compared(
        source,
        artefact,
        column.name,
        f"ρ of {proxy}",
        paper=paper,
        ours=ours,
        why=f"{reasons(column, seeds)}; {why}",
        scale=1,
    )
    # The benchmark's heat map prints 0.00 where a correlation is undefined.
    zero = source == SUITE and paper.value == 0
    return undefined_in_both(row) if zero and math.isnan(ours.value) else row


def _abstract(results: StoredResults) -> Iterator[Row]:
    printed = published.published()["abstract"]
    space, task = printed["space"], printed["task"]
    why = "the paper names neither weights, batch nor the accuracy"
    for proxy, rho in printed["values"].items():
        if results.has(space, task):
            column, paper = results.column(space, task), of_correlation(rho, SAMPLE)
            yield _correlation(SWAP, "abstract", column, proxy, paper=paper, seeds=5, why=why)
        else:
            yield absent(SWAP, "abstract", f"{space}/{task}", f"ρ of {proxy}", NOT_SCORED)


def _ablations(results: StoredResults) -> Iterator[Row]:
    """Yields the mean of the five groups of every row, of every stored sample."""
    why = "the paper states neither images, weights nor repeats of these scores"
    for table in ("table4", "table5", "table6"):
        space = published.published()[table]["space"]
        printed = published.ablation(table).filter(like="group")
        deviations = printed.std(axis="columns", ddof=1)
        try:
            found = ablations.samples(results, space)
            wides = {name: ablations.swept(column, table)[0] for name, column in found.items()}
        except DataError:
            yield absent(SWAP, table, f"{space}/cifar10", "all rows", NOT_SCORED)
            continue
        for study, wide in wides.items():
            column, shown = found[study], ablations.images_of(found[study])
            images = f"; Ψ of {shown} images, at most 2^{shown}" if shown < 32 else ""
            head = "; Θ with the auxiliary head" if "ours_without_auxiliary" in wide else ""
            differs = reasons(column, published.GROUPS, n=int(wide["n"].min()))
            for row, deviation in zip(wide.to_dict("records"), deviations, strict=True):
                plain = row["block"] == "none"
                name = "no regularisation" if plain else f"μ = {row['mu']:g}, σ = {row['sigma']:g}"
                met = row["meets_paper"] or "by no reading"
                yield compared(
                    SWAP,
                    table,
                    f"{study}/{column.name}, {shown} images",
                    f"ρ, {name}",
                    paper=of_mean(row["paper"], deviation, published.GROUPS),
                    ours=Estimate(row["ours"], row["low"], row["high"]),
                    why=f"the paper's groups are met: {met}; {differs}{images}{head}; {why}",
                    scale=1,
                )


def _input_sizes(results: StoredResults) -> Iterator[Row]:
    """Yields mean, deviation and correlation of every metric, side and number of images at C=1."""
    try:
        tidy = input_sizes.measured(results)
    except DataError:
        yield absent(SWAP, "table3", "darts_swap_c1/cifar10", "all rows", NOT_SCORED)
        return
    nearest = tidy[tidy["channels"] == input_sizes.NEAREST[0]]
    for row in nearest.to_dict("records"):
        why = "the paper names neither the networks nor μ and σ"
        if row["n"] < SAMPLE:
            why = f"n = {row['n']} instead of {SAMPLE}; {why}"
        where = f"C={row['channels']}, {row['images']} images, {row['side']}×{row['side']}"
        ours, paper = (
            {name: row[f"{start}{name}"] for name in ("mean", "sd", "spearman")}
            for start in ("", "paper_")
        )
        rho = Estimate(ours["spearman"], row["spearman_low"], row["spearman_high"])
        n, metric = int(row["n"]), row["proxy"]
        estimates: dict[str, tuple[Estimate, Estimate, float | None]] = {
            "mean": (of_mean(paper["mean"], paper["sd"], SAMPLE), _mean(ours, n), None),
            "deviation": (
                of_deviation(paper["sd"], SAMPLE),
                of_deviation(ours["sd"], n),
                paper["sd"] or paper["mean"],
            ),
            "ρ": (of_correlation(paper["spearman"], SAMPLE), rho, 1),
        }
        for name, (theirs, mine, scale) in estimates.items():
            quantity = f"{name} of {metric}"
            yield compared(
                SWAP, "table3", where, quantity, paper=theirs, ours=mine, why=why, scale=scale
            )


def _mean(ours: dict[str, Any], n: int) -> Estimate:
    return of_mean(ours["mean"], ours["sd"], n)


def _ranges(results: StoredResults) -> Iterator[Row]:
    """Yields both ends of every histogram of sizes; a smaller sample only bounds its ends."""
    for name, draw in sizes.ARTEFACTS.items():
        try:
            rows = draw(results).tables[name].to_dict("records")
        except DataError:
            yield absent(SWAP, name, "", "range of sizes", NOT_SCORED)
            continue
        for row in rows:
            yield from _ends_of(row)


def _ends_of(row: dict[Any, Any]) -> Iterator[Row]:
    whole = row["n"] >= SAMPLE
    smallest, largest = row["smallest"], row["largest"]
    ours = {
        "smallest": Estimate(smallest, smallest if whole else -math.inf, smallest),
        "largest": Estimate(largest, largest, largest if whole else math.inf),
    }
    for end, estimate in ours.items():
        yield compared(
            SWAP,
            row["figure"],
            f"sample={row['sample']}" if row["sample"] != sizes.ALL else "",
            f"{end} size, {row['unit']}",
            paper=exact(row[f"paper_{end}"]),
            ours=estimate,
            why=f"another sample (n = {row['n']}); the paper gives a rounded range",
            scale=RANGE * (row["paper_largest"] - row["paper_smallest"]) / NEGLIGIBLE,
        )


def _suite_zero(results: StoredResults) -> Iterator[Row]:
    printed = published.suite_zero()
    why = "other sample, minibatch and weights, no augmentation"
    for name in printed.columns:
        space, _, task = str(name).partition("/")
        if not results.has(space, task):
            yield absent(SUITE, "heat map", str(name), "all proxies", NOT_SCORED)
            continue
        column = results.column(space, task)
        scored = set(column.scores["proxy"])
        architectures = min(SUITE_SEEDS * SAMPLE, column.record["truth"]["n"])
        for proxy, rho in printed[name].items():
            if proxy not in scored:
                yield absent(SUITE, "heat map", str(name), f"ρ of {proxy}", "not scored")
                continue
            yield _correlation(
                SUITE,
                "heat map",
                column,
                str(proxy),
                paper=of_correlation(rho, architectures),
                seeds=SUITE_SEEDS,
                why=why,
            )

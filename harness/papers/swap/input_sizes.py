"""Table 3 and figure 15: |A|, swap and reg_swap of one-cell networks on images of three sizes."""

from __future__ import annotations

import pandas as pd

from harness import figures
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.papers.swap import printed as published
from harness.results.finished import Result

PROXIES = {"activation_patterns": "|A|", "swap": "swap", "reg_swap": "reg_swap"}
SIDES = (3, 15, 32)
IMAGES = (16, 32)
# C=1 comes close to the printed counts, C=3 is the released script's.
CHANNELS = {1: "darts_swap_c1", 3: "darts_swap"}
TASK = "cifar10"
NEAREST = (1, 32)  # channels and images of the setting that the paper seems to have used


def study(images: int, side: int) -> str:
    """Returns the study that holds a setting's results."""
    return f"table3/images{images}_side{side}"


def settings(results: StoredResults) -> dict[tuple[int, int], dict[int, Result]]:
    """Returns the complete settings: (channels, images) to input side to scores.

    Raises:
        DataError: If no setting is complete.
    """
    found = {
        (channels, images): {
            side: results.column(space, TASK, study=study(images, side)) for side in SIDES
        }
        for channels, space in CHANNELS.items()
        for images in IMAGES
        if all(results.has(space, TASK, study=study(images, side)) for side in SIDES)
    }
    if not found:
        raise DataError(
            f"{results.folder / 'table3'} holds no complete setting; run `make table3-scores`."
        )
    return found


def measured(results: StoredResults) -> pd.DataFrame:
    """Returns the tidy table: a row per setting, input side and proxy.

    Columns ``channels``, ``images``, ``side``, ``proxy``, ``n``, ``mean``, ``sd`` (over
    architectures), ``spearman`` with its interval, and the paper's ``paper_mean``, ``paper_sd``,
    ``paper_spearman``. A constant score has no correlation.
    """
    rows = [
        {"channels": channels, "images": images, "side": side, **_row(column, proxy)}
        for (channels, images), columns in settings(results).items()
        for side, column in columns.items()
        for proxy in PROXIES
    ]
    paper = published.table3().rename(
        columns={"mean": "paper_mean", "sd": "paper_sd", "spearman": "paper_spearman"}
    )
    return pd.DataFrame(rows).merge(paper, on=["side", "proxy"], how="left")


def _row(column: Result, proxy: str) -> dict[str, object]:
    rows = column.scores[column.scores["proxy"] == proxy]
    summary = column.summary_of(proxy)
    defined = rows.loc[rows["status"] == "ok", "value"]
    return {
        "proxy": proxy,
        "n": summary["n"],
        "mean": defined.mean(),
        "sd": defined.std(ddof=1),
        "spearman": summary["spearman_mean"],
        "spearman_low": summary["spearman_low"],
        "spearman_high": summary["spearman_high"],
        "n_undefined": summary["n_undefined"],
        "n_failed": summary["n_failed"],
        "mu": _regulariser(column, "mu"),
        "sigma": _regulariser(column, "sigma"),
    }


def _regulariser(column: Result, name: str) -> float:
    return float(column.record["resolved"]["settings"]["regulariser"][name])


def layout(tidy: pd.DataFrame) -> pd.DataFrame:
    """Lays the tidy table out as the paper prints it: ``mean ± sd`` and ρ per input side."""
    paper = published.table3().assign(setting="paper")
    ours = tidy.assign(
        setting=[f"C={c}, {i} images" for c, i in zip(tidy.channels, tidy.images, strict=True)]
    )
    both = pd.concat([paper, ours], ignore_index=True)
    rows = []
    for (setting, proxy), group in both.groupby(["setting", "proxy"], sort=False):
        cells: dict[str, object] = {"setting": setting, "metric": PROXIES[str(proxy)]}
        for one in group.sort_values("side").itertuples():
            cells[f"{one.side}×{one.side}"] = f"{one.mean:.2f} ± {one.sd:.2f}"
            cells[f"ρ {one.side}×{one.side}"] = one.spearman
        rows.append(cells)
    return pd.DataFrame(rows)


@artefact("table3", "table")
def table3(results: StoredResults) -> Drawn:
    """Lays out every setting that is stored beside the paper's numbers."""
    tidy = measured(results)
    return Drawn({"table3": layout(tidy), "table3_tidy": tidy})


@artefact("figure15", "figure")
def figure15(results: StoredResults) -> Drawn:
    """Draws scores against accuracy at the nearest setting, and ρ against the input side of all."""
    found = settings(results)
    tidy = measured(results)
    chosen = NEAREST if NEAREST in found else next(iter(found))
    return Drawn(
        {},
        {
            "figure15": _points(found[chosen], chosen, tidy),
            "figure15_correlations": _lines(tidy),
        },
    )


def _points(
    columns: dict[int, Result], setting: tuple[int, int], tidy: pd.DataFrame
) -> figures.Figure:
    channels, images = setting
    here = tidy[(tidy.channels == channels) & (tidy.images == images)]
    rho = {(row["proxy"], row["side"]): row["spearman"] for row in here.to_dict("records")}
    shown = [
        figures.Panel(
            f"{name} at {side}×{side}\nρ = {figures.printed(rho[proxy, side])}",
            column.scores[column.scores["proxy"] == proxy],
            proxy,
        )
        for proxy, name in PROXIES.items()
        for side, column in columns.items()
    ]
    return figures.panels(
        shown,
        "Figure 15 · Three metrics at three input sizes",
        f"One-cell DARTS networks with C={channels}, {images} images. {_basis(here, columns[3])} "
        "ρ = –: all scores are equal.",
        columns=3,
        truth_label="CIFAR-10 test accuracy (%)",
    )


def _lines(tidy: pd.DataFrame) -> figures.Figure:
    shown = []
    sources = [("paper", published.table3())]
    for (channels, images), rows in tidy.groupby(["channels", "images"], sort=False):
        sources.append((f"ours: C={channels}, {images} images", rows))
    for title, rows in sources:
        curves = [
            figures.Curve(name, own.side, own.spearman)
            for proxy, name in PROXIES.items()
            if len(own := rows[rows.proxy == proxy].sort_values("side"))
        ]
        shown.append(figures.CurvePanel(title, curves, SIDES))
    return figures.curves(
        shown,
        "Figure 15 · Correlation with accuracy at three input sizes",
        f"n = {int(tidy.n.min())} one-cell DARTS networks, one seed. A missing point: all scores "
        "are equal.",
        x_label="input side (pixels)",
        y_label="Spearman's ρ",
        markers=True,
    )


def _basis(tidy: pd.DataFrame, column: Result) -> str:
    stand_in = ", a stand-in" if column.stand_in else ""
    return (
        f"n = {int(tidy.n.min())} architectures, seeds: {column.seeds}. Images: random crops of "
        f"{column.images}{stand_in}. Undefined scores: {int(tidy.n_undefined.sum())}; runs that "
        f"failed: {int(tidy.n_failed.sum())}."
    )

"""Figure 4: every proxy on every space and task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from harness import figures, truth
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import DataError
from harness.papers.paper_artefacts import artefact
from harness.results.finished import FEW, Result, label
from harness.stats.ordering import columns_by_mean, rows_by_mean

Names = Sequence[tuple[str, str]]

TNB = ("tnb101_micro", "tnb101_macro")
PAPER_COLUMNS: Names = (
    ("nb101", "cifar10"),
    *(("nb201", task) for task in ("cifar10", "cifar100", "imagenet16_120")),
    ("nb301", "cifar10"),
    *(
        (space, task)
        for space in TNB
        for task in ("class_object", "class_scene", "jigsaw", "autoencoder")
    ),
)
FURTHER_COLUMNS: Names = (
    *((space, task) for space in TNB for task in ("room_layout", "normal", "segmentsemantic")),
    ("darts_swap", "cifar10"),
)
TRANSFORMER_COLUMNS: Names = (
    *(("autoformer", task) for task in ("vit_cifar100", "flowers102", "chaoyang", "vit_imagenet")),
    *(("pit", task) for task in ("vit_cifar100", "flowers102", "chaoyang")),
)
# The benchmark's thirteen, and ZiCo; the text of the paper does not name its fifteenth.
PAPER_PROXIES = (
    "params", "flops", "l2_norm", "nwot", "swap", "reg_swap", "grad_norm", "snip", "plain",
    "synflow", "jacov", "epe_nas", "fisher", "grasp", "zen", "zico",
)  # fmt: skip
STAND_IN = "*"


def available(results: StoredResults, names: Names) -> list[Result]:
    """Returns the columns that are stored.

    Raises:
        DataError: If none is.
    """
    found = [results.column(*name) for name in names if results.has(*name)]
    if not found:
        wanted = ", ".join("/".join(name) for name in names)
        raise DataError(f"{results.folder} holds none of {wanted}; make them with `make study`.")
    return found


def sorted_means(columns: Sequence[Result]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Averages over seeds and sorts rows and columns by their mean, the largest first.

    What was scored everywhere decides, see ``rows_by_mean`` and ``columns_by_mean``. For the order
    an undefined correlation counts 0, as in the benchmark's own figure.

    Returns:
        Correlations (NaN where there is none) and, of the same shape, whether they were scored.
    """
    means = pd.DataFrame({c.name: _means(c) for c in columns})
    scored = pd.DataFrame({c.name: means.index.isin(_means(c).index) for c in columns})
    scored.index = means.index
    order = means.fillna(0).where(scored)
    rows, names = rows_by_mean(order), columns_by_mean(order)
    return means.loc[rows, names], scored.loc[rows, names]


def _means(column: Result) -> pd.Series[float]:
    grouped = column.correlations.groupby("proxy", sort=False)["spearman"]
    return grouped.agg(lambda seeds: seeds.mean(skipna=False))


def described(columns: Sequence[Result]) -> pd.DataFrame:
    """Says of every column what its numbers rest on: n, seeds, images, accuracy, failures."""
    return pd.DataFrame(
        [
            {
                "column": c.name,
                "n": c.n,
                "seeds": c.seeds,
                "images": c.images,
                "stand_in": "yes" if c.stand_in else "no",
                "accuracy": c.record["truth"]["metric"],
                "split": c.record["truth"]["split"],
                "variant": c.record["truth"]["variant"],
                "architectures_with_accuracy": c.record["truth"]["n"],
                "undefined": c.failures(("undefined",)),
                "failed": c.failures(),
                "at_ceiling": ", ".join(f"{name} {share:.0%}" for name, share in c.crowded.items()),
                "commit": str(c.record.get("commit", ""))[:12],
            }
            for c in columns
        ]
    )


def _heatmap(columns: Sequence[Result], missing: Names, proxies: Sequence[str] | None) -> Drawn:
    kept = [c if proxies is None else replace(c, proxies=tuple(proxies)) for c in columns]
    means, scored = sorted_means(kept)
    name = "figure4" if proxies is not None else "figure4_all"
    table = means.rename_axis("proxy").reset_index()
    return Drawn(
        {name: table, f"{name}_columns": described(kept)},
        {name: _draw(means, scored, {c.name: c for c in kept}, missing)},
    )


def _draw(
    means: pd.DataFrame, scored: pd.DataFrame, columns: dict[str, Result], missing: Names
) -> figures.Figure:
    shown = [columns[name] for name in means.columns]
    labels = [c.label + _kind(c) + (STAND_IN if c.stand_in else "") for c in shown]
    failed = sum(c.failures() for c in shown)
    lines = [
        "Spearman's ρ with the accuracy, mean over seeds. Proxies of every column come first, by "
        "their mean. Below each column: seeds × architectures.",
        f"Runs that failed: {failed}.",
    ]
    crowded = np.array([[row in c.crowded for c in shown] for row in means.index])
    if crowded.any():
        lines.append("Corner: more than 2\N{NO-BREAK SPACE}% of the scores are at their ceiling.")
    faded = [c.few for c in shown]
    if any(faded):
        lines.append(f"Faded: fewer than {FEW} architectures.")
    if any(c.stand_in for c in shown):
        lines.append(f"{STAND_IN} stand-in images: not the task's own data set.")
    if missing:
        lines.append("Not stored here: " + ", ".join(label(*name) for name in missing) + ".")
    table = means.set_axis(labels, axis="columns")
    absent = ~scored.to_numpy(dtype=bool)
    ceilings = np.array([c.ceiling for c in shown])
    if np.isfinite(ceilings).any():
        table.loc[figures.NOISE_CEILING] = ceilings
        absent = np.vstack([absent, np.isnan(ceilings)])
        lines.append("Noise ceiling: what noise of training leaves a perfect proxy, where known.")
    return figures.heatmap(
        table,
        title="Figure 4 · How proxies rank architectures",
        subtitle="\n".join(lines),
        below=[f"{c.seeds}×{c.n}" for c in shown],
        apart=figures.NOISE_CEILING if len(table) > len(means) else None,
        absent=absent,
        crowded=crowded,
        faded=faded,
    )


def _kind(column: Result) -> str:
    """Names the accuracy of a column, where it is not the one that is taken unless asked for."""
    variant = str(column.record["truth"]["variant"])
    known = truth.variants(column.space, column.task)
    return f" ({variant})" if variant in known[1:] else ""


@artefact("figure4", "figure")
def figure4(results: StoredResults) -> Drawn:
    """Draws the paper's thirteen columns with the proxies that it compares."""
    missing = [name for name in PAPER_COLUMNS if not results.has(*name)]
    return _heatmap(available(results, PAPER_COLUMNS), missing, PAPER_PROXIES)


@artefact("figure4_all", "figure")
def figure4_all(results: StoredResults) -> Drawn:
    """Draws every stored column and every proxy."""
    convolutional = [*PAPER_COLUMNS, *FURTHER_COLUMNS]
    missing = [name for name in convolutional if not results.has(*name)]
    return _heatmap(available(results, [*convolutional, *TRANSFORMER_COLUMNS]), missing, None)

"""What do proxies know of latency, energy and robustness, and of accuracy at equal latency?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from harness import figures, stats, truth
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate
from harness.results.finished import Result
from harness.stats.comparisons import Joint
from harness.stats.other_targets import ACCURACY
from harness.truth.nb201_targets import ROBUSTNESS, Target, targets

BETWEEN = [one.name for one in ROBUSTNESS if not one.name.endswith(("_1", "_4"))]
"""Attacks that the picture leaves out."""


@analysis("beyond_accuracy", "Do proxies predict latency, energy and robustness?", chapter=80)
def beyond_accuracy(results: StoredResults) -> Drawn:
    """Correlates scores with what else was measured of the same architectures."""
    table = by_column(results, correlations)
    first = table[table["column"] == table["column"].iloc[0]]
    latency = first[(first["kind"] == "latency") & (first["proxy"] != ACCURACY)]
    wide = first[~first["target"].isin(BETWEEN)].pivot_table(
        index="proxy", columns="of", values="spearman", sort=False, dropna=False
    )
    order = wide.drop(index=ACCURACY).abs().mean(axis=1).sort_values(ascending=False).index
    pictures = {
        "beyond_accuracy": figures.heatmap(
            wide.loc[[ACCURACY, *order]].rename_axis(columns=None),
            title="What proxies know of latency, energy and accuracy under attack",
            subtitle=f"{first['column'].iloc[0]}, n = {first['n'].max()} architectures "
            f"({first['n'].min()} on the Edge TPU); first row: the accuracy itself.",
        ),
        "equal_latency": figures.intervals(
            latency[
                ["of", "proxy", "n", "accuracy", "partial", "partial_low", "partial_high"]
            ].set_axis(["column", "proxy", "n", "accuracy", "partial", "low", "high"], axis=1),
            "partial",
            "Accuracy at equal latency",
            f"{first['column'].iloc[0]}. Filled: Spearman's ρ with accuracy, ranks of latency held "
            "fixed. Hollow: ρ. " + RESAMPLED,
            label="partial rank correlation",
            other="accuracy",
        ),
    }
    return Drawn({"beyond_accuracy": table}, pictures, _finding(latency))


def correlations(one: Result) -> pd.DataFrame:
    """Returns how a column's scores go with all that was measured of its architectures.

    Raises:
        HarnessError: If nothing was measured.
    """
    parts = []
    for chosen, joined in _joined(one):
        costs = [target.name for target in chosen if target.kind != "robust accuracy"]
        part = stats.target_correlations(joined, [target.name for target in chosen])
        parts.append(part.merge(stats.at_equal(joined, costs), "left") if costs else part)
    table = pd.concat(parts, ignore_index=True)
    listed = {target.name: target for target in targets(one.space, one.task)}
    place = {name: i for i, name in enumerate(listed)}
    table = table.sort_values("target", key=lambda names: names.map(place), kind="stable")
    table.insert(1, "kind", [listed[name].kind for name in table["target"]])
    table.insert(2, "of", [listed[name].label for name in table["target"]])
    return table


def _joined(one: Result) -> Iterator[tuple[list[Target], Joint]]:
    """Yields the targets that were measured on the same architectures, joined with the scores."""
    values = truth.load_targets(one.space, one.task).set_index("key")
    groups: dict[bytes, list[Target]] = {}
    for target in targets(one.space, one.task):
        groups.setdefault(values[target.name].isna().to_numpy().tobytes(), []).append(target)
    for chosen in groups.values():
        columns = values[[target.name for target in chosen]]
        policy = one.record["conditions"]["undefined"]
        yield chosen, stats.joint(stats.beside(one.scores, columns), policy)


def _finding(latency: pd.DataFrame) -> str:
    fastest = latency.groupby("proxy")["spearman"].mean().sort_values().index[-1]
    steady = latency.groupby("proxy")["partial"].mean().sort_values().index[-1]
    devices = latency[latency["proxy"] == fastest].sort_values("spearman")
    least = latency[latency["proxy"] == steady].sort_values("partial").iloc[0]
    first, last = (
        estimate(row["spearman"], row["low"], row["high"])
        for _, row in devices.iloc[[0, -1]].iterrows()
    )
    return (
        f"On {least['column']} (n = {least['n']}) {fastest} ranks latency best, ρ = {first} to "
        f"{last} over {len(devices)} devices; at equal latency {steady} still ranks accuracy with "
        f"ρ = {estimate(least['partial'], least['partial_low'], least['partial_high'])} or more."
    )

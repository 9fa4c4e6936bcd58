"""What does a correlation cost?"""

from __future__ import annotations

import pandas as pd

from harness import figures, stats
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.errors import HarnessError
from harness.core.machine import device_of, in_words
from harness.core.printing import estimate
from harness.proxies.contract import populations, proxies
from harness.results.finished import Result


@analysis("cost", "What does a correlation cost?", chapter=90)
def cost(results: StoredResults) -> Drawn:
    """Sets seconds per architecture against ρ, column by column and device by device."""
    table = by_column(results, costs)
    devices = table["device"].unique()
    shown = table.assign(name=table["proxy"])
    if len(devices) > 1:
        shown["column"] = table["column"] + " on " + table["device"].map(in_words)
    picture = figures.tradeoff(
        shown,
        "What a correlation costs",
        f"Median seconds of a proxy's passes ({', '.join(map(in_words, devices))}), had it been "
        "scored alone; the line joins what no other proxy beats at less. " + RESAMPLED,
        x_label="time per architecture (s)",
        y_label="Spearman's ρ",
    )
    return Drawn({"cost": table}, {"cost": picture}, _finding(table))


def costs(one: Result) -> pd.DataFrame:
    """Returns ``stats.pareto`` of a column, for every kind of device that scored it.

    Raises:
        HarnessError: If no proxy of the column is known here, so that nobody can tell its passes.
    """
    ok = one.scores[one.scores["status"] == "ok"]
    devices = ok["machine"].map({text: device_of(text) for text in ok["machine"].unique()})
    parts = []
    for device, rows in ok.groupby(devices, sort=True):
        shares = {
            str(name): float(s) for name, s in rows.groupby("proxy")["seconds"].median().items()
        }
        passes = {name: _passes(name) for name in shares}
        known = {name: share for name, share in shares.items() if passes[name]}
        if not known:
            raise HarnessError("none of its proxies is installed here, whose passes took the time.")
        part = stats.pareto(one.joint, stats.seconds_alone(known, passes))
        part.insert(1, "device", str(device))
        part.insert(3, "share", part["proxy"].map(known))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _passes(proxy: str) -> list[str]:
    """Returns the passes of a proxy, or of those that it is made of; none if it is unknown."""
    if proxy in populations:
        return sorted({name for part in populations.get(proxy).needs for name in _passes(part)})
    return [one.name for one in proxies.get(proxy).passes] if proxy in proxies else []


def _finding(table: pd.DataFrame) -> str:
    largest = table.sort_values("n", ascending=False, kind="stable").iloc[0]
    place = (table["column"] == largest["column"]) & (table["device"] == largest["device"])
    rows = table[place]
    front = rows[rows["on_front"]]
    first, last = (
        f"{row['proxy']} (ρ = {estimate(row['spearman'], row['low'], row['high'])} for "
        f"{row['seconds']:.2g} s)"
        for _, row in front.iloc[[0, -1]].iterrows()
    )
    return (
        f"On {largest['column']} (n = {largest['n']}) {len(front)} of {len(rows)} proxies are "
        f"worth their cost per architecture, from {first} to {last}; any other "
        "ranks no better than a cheaper one."
    )

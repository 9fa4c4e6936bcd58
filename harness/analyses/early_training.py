"""Does a proxy rank better than a few epochs of training?"""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness import figures, stats, truth
from harness.analyses.by_column import RESAMPLED
from harness.analyses.cost import costs
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate
from harness.truth.nb101_truth import EPOCHS, EVERY_EPOCHS

SPACE, TASK = "nb101", "cifar10"


@analysis("early_training", "Does a proxy beat a few epochs of training?", chapter=81)
def early_training(results: StoredResults) -> Drawn:
    """Sets NAS-Bench-101's short trainings beside the proxies, by seconds per architecture."""
    scored = costs(results.column(SPACE, TASK))
    trained = training()
    both = pd.concat([scored.assign(name=scored["proxy"], other=False), trained], ignore_index=True)
    both["on_front"] = stats.on_front(both["seconds"], both["spearman"])
    table = both[["name", "device", "seconds", "spearman", "low", "high", "on_front", "n", "seeds"]]
    picture = figures.tradeoff(
        both.assign(column=f"{SPACE}/{TASK}"),
        "Proxies and short trainings",
        f"ρ with the mean test accuracy of three trainings of {EPOCHS} epochs, against median "
        f"seconds. Squares: {len(EVERY_EPOCHS)} trainings of {trained['n'].max():,} cells on a TPU "
        "v2, circles: proxies. " + RESAMPLED,
        x_label="time per architecture (s)",
        y_label="Spearman's ρ",
    )
    return Drawn({"early_training": table}, {"early_training": picture}, _finding(scored, trained))


def training() -> pd.DataFrame:
    """Returns how well the accuracy after every number of epochs ranks the accuracy in the end.

    Returns:
        One row per number of epochs, as ``costs``. A training of e epochs takes e/108 of the
        seconds that are recorded for 108.
    """
    epochs = truth.load_epochs()
    rows = [
        pd.DataFrame(
            {"key": epochs["key"], "value": epochs[f"epochs_{n}"], "truth": epochs["test"]}
        ).assign(space=SPACE, task=TASK, proxy=f"{n} epochs", seed=0, status="ok")
        for n in EVERY_EPOCHS
    ]
    names = {"proxy": "name", "spearman_mean": "spearman"}
    names |= {f"spearman_{end}": end for end in ("low", "high")}
    table = stats.summary(pd.concat(rows, ignore_index=True)).rename(columns=names)
    counted = table["name"].str.removesuffix(" epochs").astype(int)
    seconds = counted * float(epochs["seconds"].median()) / EPOCHS
    table = table[["name", "spearman", "low", "high", "n", "seeds"]]
    table = table.assign(seconds=seconds, device="TPU v2", other=True)
    return table.sort_values("seconds", ignore_index=True)


def _finding(scored: pd.DataFrame, trained: pd.DataFrame) -> str:
    best = scored.dropna(subset="spearman").sort_values("spearman").iloc[-1]
    better = trained["spearman"] >= best["spearman"]
    beside = [
        f"{word} {row['name']} of training ({_told(row)}, n = {row['n']:,})"
        for word, rows in (("above", trained[~better].tail(1)), ("below", trained[better].head(1)))
        for _, row in rows.iterrows()
    ]
    return (
        f"On NAS-Bench-101 {best['proxy']} is the best proxy ({_told(best)}, n = {best['n']}), "
        f"{' and '.join(beside)}."
    )


def _told(row: pd.Series[Any]) -> str:
    rho = estimate(row["spearman"], row["low"], row["high"])
    return f"ρ = {rho} in {row['seconds']:.3g} s"

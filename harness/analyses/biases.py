"""Which properties of architectures do scores follow?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import figures, stats
from harness.analyses.architectures import PROPERTIES, properties
from harness.analyses.by_column import by_column
from harness.analyses.question import analysis
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate, printed
from harness.stats.bias import ACCURACY
from harness.stats.comparisons import SIZE


@analysis("bias", "Which properties of architectures do scores follow?", chapter=30)
def bias(results: StoredResults) -> Drawn:
    """Correlates scores with properties of cells, beside the accuracy's own correlation."""
    table = by_column(results, lambda one: stats.biases(one.joint, properties(one)))
    accuracy = table[table["proxy"] == ACCURACY].set_index(["column", "property"])["spearman"]
    table["of_accuracy"] = accuracy.reindex(
        pd.MultiIndex.from_frame(table[["column", "property"]])
    ).to_numpy()
    means = table.pivot_table(index="proxy", columns="property", values="spearman", sort=False)
    order = (means.sub(means.loc[ACCURACY]).abs().mean(axis=1)).sort_values().index
    picture = figures.heatmap(
        means.loc[order],
        title="What scores follow: Spearman's ρ with properties of the architectures",
        subtitle=f"Mean over {table['column'].nunique()} columns; the closer to the accuracy's own "
        f"({ACCURACY}), the higher a proxy stands. " + _meanings(),
        label="Spearman's ρ with the property",
    )
    return Drawn({"bias": table}, {"bias": picture}, _finding(table))


def _meanings() -> str:
    return "; ".join(f"{name}: {meaning}" for name, meaning in PROPERTIES.items()) + "."


def _finding(table: pd.DataFrame) -> str:
    proxies = table[~table["proxy"].isin([ACCURACY, *SIZE])].dropna(subset="spearman")
    # By how much the nearer end of the interval exceeds the accuracy's own.
    ends = proxies["spearman_low"].abs(), proxies["spearman_high"].abs()
    surely = np.minimum(*ends) * (proxies["spearman_low"] * proxies["spearman_high"] > 0)
    excess = surely - proxies["of_accuracy"].abs()
    ordered = proxies.assign(excess=excess).sort_values("excess", na_position="first")
    exceeding = int((ordered["excess"] > 0).sum())
    said = (
        f"{exceeding} of {len(ordered)} biases exceed the accuracy's own with their whole interval"
    )
    if not exceeding:
        return f"{said}."
    worst = ordered.iloc[-1]
    interval = estimate(worst["spearman"], worst["spearman_low"], worst["spearman_high"])
    return (
        f"{said}, most of all {worst['proxy']}'s for {worst['property']}: ρ {interval}, where the "
        f"accuracy's is {printed(worst['of_accuracy'])} ({worst['column']}, n = {worst['n']})."
    )

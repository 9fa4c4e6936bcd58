"""Figure 6: the curves of the size regulariser."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import figures, stats
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.papers.paper_artefacts import artefact

# Within the sizes of NAS-Bench-201; the text does not say which values the paper's picture shows.
MU = 0.7
VARYING_MU = (0.1, 0.7, 1.5)
SIGMA = 0.7
VARYING_SIGMA = (0.1, 0.4, 0.7, 1.5)
SIZES = np.linspace(0, 2, 201)


@artefact("figure6", "figure")
def figure6(results: StoredResults) -> Drawn:
    """Draws f(Θ) = exp(−(Θ−μ)²/σ): how σ shapes it, and how μ moves it."""
    del results  # a formula
    pairs = {
        f"σ varies, μ = {MU}": [(MU, sigma) for sigma in VARYING_SIGMA],
        f"μ varies, σ = {SIGMA}": [(mu, SIGMA) for mu in VARYING_MU],
    }
    ones = np.ones_like(SIZES)
    values = {pair: stats.regularised(ones, SIZES, *pair) for row in pairs.values() for pair in row}
    shown = [
        figures.CurvePanel(
            title,
            [
                figures.Curve(f"σ = {s}" if title[0] == "σ" else f"μ = {m}", SIZES, values[m, s])
                for m, s in row
            ],
        )
        for title, row in pairs.items()
    ]
    figure = figures.curves(
        shown,
        "Figure 6 · The regulariser f(Θ) = exp(−(Θ − μ)² / σ)",
        "The formula, no measurement; σ is not squared. With μ at or above the largest size, f "
        "grows with the size over the whole space.",
        x_label="Θ (million parameters)",
        y_label="f(Θ)",
    )
    table = pd.concat(
        [
            pd.DataFrame({"mu": mu, "sigma": sigma, "theta": SIZES, "f": f})
            for (mu, sigma), f in values.items()
        ],
        ignore_index=True,
    )
    return Drawn({"figure6": table}, {"figure6": figure})

"""How much of a low correlation is noise: of training, of weights, of batches?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness import figures
from harness.analyses.by_column import RESAMPLED, by_column
from harness.analyses.question import analysis
from harness.analyses.stored_repeats import scores_of_any_study, settings_of
from harness.artefacts.artefact import Drawn
from harness.artefacts.stored_results import StoredResults
from harness.core.printing import estimate, printed
from harness.results.finished import Result
from harness.stats import attenuation
from harness.stats.bootstrap import interval
from harness.stats.joint import rank_matrix, resampled_matrices
from harness.stats.self_agreement import REPEATS, SelfAgreement, averaged, self_agreements
from harness.truth.repeats import repeats as trained_repeatedly

CURVES, FLAT = 5, 0.99
"""Proxies per panel of the picture of averages: the noisiest of those that averaging may help."""


@analysis("noise", "How much of a low correlation is noise?", chapter=40)
def noise(results: StoredResults) -> Drawn:
    """Measures ceilings from training seeds and agreement of scores with themselves."""
    repeated: dict[str, list[SelfAgreement]] = {}
    rows = []
    for one in results.columns():
        scores = scores_of_any_study(results, one.space, one.task)
        repeated[one.name] = self_agreements(scores)
        for twice in repeated[one.name]:
            under = scores[
                (scores["proxy"] == twice.proxy) & (scores["settings"] == twice.settings)
            ]
            studies = ", ".join(sorted(set(under["study"])))
            row = {"column": one.name, **twice.row(), "studies": studies}
            rows.append(row | averaged(row["one"], twice.value))
    table = by_column(results, lambda one: _corrected(one, repeated[one.name]))
    repeats = pd.DataFrame(rows)
    ceilings = pd.DataFrame([row for one in results.columns() for row in _ceiling(one)])
    tables = {"noise": table, "noise_repeats": repeats, "noise_ceilings": ceilings}
    drawn = {"noise": _against_ceiling(table)}
    if len(repeats):
        drawn |= {"noise_repeats": _agreements(repeats), **_averages(repeats)}
    return Drawn(
        {name: one for name, one in tables.items() if len(one)}, drawn, _finding(table, ceilings)
    )


def _corrected(one: Result, repeated: list[SelfAgreement]) -> pd.DataFrame:
    """Returns a row per proxy: ρ, the ceiling, and ρ without either noise."""
    joined = one.joint
    rows = []
    for place, proxy in enumerate(joined.names):
        value, low, high = joined.correlation(place)
        row = {"proxy": proxy, "spearman": value, "low": low, "high": high, **joined.counts}
        row["ceiling"] = one.ceiling
        settings = settings_of(one.record, proxy)
        same = [own for own in repeated if (own.proxy, own.settings) == (proxy, settings)]
        if same:  # weights and batch come before the batch alone
            observed = np.append(value, joined.resampled[:, :, place, -1].mean(axis=0))
            # Other architectures were scored twice than are ranked: the draws are independent.
            without = attenuation.corrected(observed, same[0].replicates[0], one.ceiling)
            lowest, highest = interval(without[1:])
            row |= {"drawn": same[0].drawn, "pairs": same[0].pairs, "agreement": same[0].value}
            row |= {"corrected": without[0], "corrected_low": lowest, "corrected_high": highest}
        rows.append(row)
    optional = ["drawn", "pairs", "agreement", "corrected", "corrected_low", "corrected_high"]
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*dict.fromkeys([*frame.columns, *optional])])


def _ceiling(one: Result) -> list[dict[str, object]]:
    """Returns one row if bundled tables show how two training runs agree, else none."""
    known = trained_repeatedly(one.space, one.task)
    variant = str(one.record["truth"]["variant"])
    if known is None or variant not in known.behind:
        return []
    pair = np.column_stack([known.one, known.mean])
    resampled = resampled_matrices([pair], [np.arange(len(pair))], 200, np.random.default_rng(0))
    agreement = np.append(rank_matrix(pair)[0, 1], resampled[0, :, 0, 1])
    single = attenuation.reliability(agreement, known.runs, known.within)
    highest = attenuation.ceiling(single, known.behind[variant])
    low, high = interval(highest[1:])
    return [
        {
            "column": one.name,
            "variant": variant,
            "compared": known.note,
            "n": len(pair),
            "agreement": agreement[0],
            "reliability": single[0],
            "runs": known.behind[variant],
            "ceiling": highest[0],
            "low": low,
            "high": high,
        }
    ]


def _against_ceiling(table: pd.DataFrame) -> figures.Figure:
    return figures.intervals(
        table,
        "spearman",
        "What noise takes from a correlation",
        "Filled: Spearman's ρ with accuracy. Hollow: without the noise of scores and of training, "
        "where both were repeated. Line: the ρ that training noise leaves a perfect proxy. "
        + RESAMPLED,
        label="Spearman's ρ",
        other="corrected",
        line="ceiling",
    )


def _agreements(repeats: pd.DataFrame) -> figures.Figure:
    named = repeats.assign(
        label=[f"{row.column}, {row.drawn}" for row in repeats.itertuples(index=False)]
    )
    shown = named.drop_duplicates(["proxy", "label"])  # of several settings the first
    grid = shown.pivot(index="proxy", columns="label", values="agreement")  # noqa: PD010
    order = grid.mean(axis=1).sort_values(ascending=False).index
    return figures.heatmap(
        grid.loc[order].rename_axis(columns=None),
        title="How well scores agree with themselves",
        subtitle="Spearman's ρ of scores with those of other weights and another batch, or of the "
        "same weights and a batch of other images.",
        label="agreement",
        absent=grid.loc[order].isna().to_numpy(),
    )


def _averages(repeats: pd.DataFrame) -> dict[str, figures.Figure]:
    """Returns a picture if averaging can help at all."""
    shown = []
    for (column, drawn), rows in repeats.groupby(["column", "drawn"], sort=False):
        noisy = rows[rows["agreement"].between(0, FLAT, inclusive="neither")]
        noisiest = noisy.drop_duplicates("proxy").nsmallest(CURVES, "agreement")
        curves = [
            figures.Curve(row["proxy"], REPEATS, [row[f"repeats_{k}"] for k in REPEATS])
            for row in noisiest.to_dict("records")
        ]
        if curves:
            shown.append(figures.CurvePanel(f"{column}\n{drawn}", curves, REPEATS))
    if not shown:
        return {}
    picture = figures.curves(
        shown,
        "What averaging repeated scores would give",
        "ρ with accuracy of the mean of several scores, predicted (Spearman and Brown) from how "
        "two agree; the proxies that agree least. The table has what two gave.",
        x_label="scores averaged",
        y_label="Spearman's ρ",
        markers=True,
    )
    return {"noise_averaged": picture}


def _finding(table: pd.DataFrame, ceilings: pd.DataFrame) -> str:
    said = []
    if len(ceilings):
        low, high = printed(ceilings["ceiling"].min()), printed(ceilings["ceiling"].max())
        said.append(f"training noise would leave a perfect proxy ρ = {low} to {high}")
    known = table.dropna(subset=["corrected"])
    if len(known):
        least = known.sort_values("agreement").iloc[0]
        without = estimate(least["corrected"], least["corrected_low"], least["corrected_high"])
        said.append(
            f"the scores that agree least with themselves, {least['proxy']} "
            f"({printed(least['agreement'])}, {least['pairs']:.0f} pairs), would without noise "
            f"reach {without} instead of {printed(least['spearman'])} on {least['column']}"
        )
    words = "; ".join(said) or "nothing stored here was trained or scored twice"
    return f"{words[0].upper()}{words[1:]}."

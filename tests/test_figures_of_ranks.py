"""The noise ceiling in pictures, and the critical-difference diagram."""

import numpy as np
import pandas as pd
import pytest
from test_figures import assert_inside, make_scores

from harness import figures, stats
from harness.core.errors import HarnessError
from harness.figures import style


def test_the_ceiling_is_a_row_below_a_line() -> None:
    scores = make_scores(3)
    rows, summary = stats.correlations(scores), stats.summary(scores, resamples=5)
    plain = figures.correlation_heatmap(rows, summary, "t")
    figure = figures.correlation_heatmap(rows, summary, "NB201", ceiling=0.987)
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()][3:] == [figures.NOISE_CEILING]
    cells = {t.get_position(): t.get_text() for t in ax.texts}
    assert [cells[column + 0.5, 3.5] for column in range(3)] == ["0.99"] * 3
    assert [set(line.get_ydata()) for line in ax.lines if len(set(line.get_ydata())) == 1] == [{3}]
    assert len(plain.axes[0].get_yticklabels()) == 3
    assert_inside(figure)


def test_the_scatter_says_the_ceiling() -> None:
    scores = make_scores(2)
    summary = stats.summary(scores, resamples=5)

    def said(**known: float) -> str:
        figure = figures.scatter(scores, summary, "t", **known)
        return " ".join(text.get_text() for text in figure.texts)

    assert "perfect proxy ρ = 0.98" in said(ceiling=0.98)
    assert "perfect" not in said()


def test_intervals_have_a_line_where_it_is_known() -> None:
    table = pd.DataFrame(
        {"column": ["a", "a", "b"], "proxy": ["p", "q", "p"], "n": [9, 9, 8], "rho": 0.5}
    ).assign(low=0.4, high=0.6, ceiling=[0.9, 0.9, np.nan])
    figure = figures.intervals(table, "rho", "t", line="ceiling")
    red = [[line for line in ax.lines if line.get_color() == style.RED] for ax in figure.axes]
    assert [line.get_xdata()[0] for line in red[0]] == [0.9]
    assert red[1] == []
    assert [ax.get_title() for ax in figure.axes] == ["a\nn = 9", "b\nn = 8"]


@pytest.mark.parametrize("many", [1, 2, 15])
def test_critical_differences_lead_every_rank_to_its_name(many: int) -> None:
    names = [f"proxy_number_{i}" for i in range(many)]
    ranks = [1 + 0.9 * i for i in range(many)]
    joined = [(0, many // 2), (many // 2, many - 1)] if many > 2 else []
    figure = figures.critical_differences(names, ranks, joined, "t", "s", critical=2.5)
    (ax,) = figure.axes
    for name, rank in zip(names, ranks, strict=True):
        (text,) = [t for t in ax.texts if t.get_text() == f"{name} ({rank:.1f})"]
        ends = [list(x) for line in ax.lines for x in [line.get_xdata()] if len(x) == 3]
        assert [rank, rank, text.xy[0]] in ends
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 3]
    assert np.allclose(bars, [(ranks[a] - 0.04, ranks[b] + 0.04) for a, b in joined])
    assert_inside(figure)


def test_no_ranks_no_diagram() -> None:
    with pytest.raises(HarnessError, match="nothing to draw"):
        figures.critical_differences([], [], [], "t")

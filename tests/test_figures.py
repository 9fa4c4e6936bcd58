"""Figures and tables: nothing clipped, every number the table's, the same bytes every time."""

import re
from unittest.mock import patch

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from matplotlib.collections import PathCollection
from matplotlib.patches import Polygon, Rectangle
from PIL import Image
from rich.console import Console

from harness import figures, stats
from harness.core.errors import HarnessError
from harness.core.files import atomic
from harness.core.picture_formats import FORMATS
from harness.core.printing import printed
from harness.figures import style
from harness.figures.scatter import axis_scale, grid

NAMES = ["reg_swap", "nwot", "activation_patterns", "jacov", "fisher", "constant", "ntk"]
SUBTITLE = "n = 60 architectures per seed; test accuracy after 200 epochs; the task's own images"


def make_scores(proxies=7, seeds=2, n=60):
    """Every kind of proxy: heavy-tailed, partly and wholly undefined, constant, failing."""
    parts = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        truth = 70 - random.exponential(8, size=n)
        for i in range(proxies):
            name = NAMES[i] if i < len(NAMES) else f"proxy_{i}"
            value = truth * (1 - i / 5) + random.normal(size=n) * 8
            status = np.array(["ok"] * n, dtype=object)
            if name == "nwot":
                status[:5] = "undefined"
            elif name == "jacov" and seed == 1:
                status[:] = "undefined"
            elif name == "fisher":
                value = np.exp(value)
            elif name == "constant":
                value = np.ones(n)
            elif name == "ntk":
                status[:3] = "oom"
            value = np.where(status == "ok", value, np.nan)
            keys = [f"key{k}" for k in range(n)]
            parts.append(
                pd.DataFrame(
                    {"space": "nb201", "task": "cifar100", "key": keys, "proxy": name}
                    | {"seed": seed, "value": value, "status": status, "seconds": 0.1}
                    | {"truth": truth}
                )
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def scores():
    return make_scores()


@pytest.fixture(scope="module")
def summary(scores):
    return stats.summary(scores, resamples=20)


def texts(figure):
    """Visible, non-empty texts with their boxes in pixels."""
    figure.canvas.draw()
    found = [t for t in figure.findobj(plt.Text) if t.get_visible() and t.get_text().strip()]
    return [(t, t.get_window_extent()) for t in found]


def assert_inside(figure):
    """Ticks beyond the axis limits are not drawn, so only those within count."""
    figure.canvas.draw()  # settles the layout, and with it the ticks
    width, height = figure.canvas.get_width_height()
    hidden = {
        label
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    shown = [(t, box) for t, box in texts(figure) if t not in hidden]
    assert len(shown) > 3
    for text, box in shown:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text.get_text()!r} leaves the canvas: {box}"
    for i, (a, first) in enumerate(shown):
        for b, second in shown[i + 1 :]:
            if a.get_rotation() % 90 or b.get_rotation() % 90:
                continue  # the boxes of slanted texts overlap where the texts do not
            overlap_x = min(first.x1, second.x1) - max(first.x0, second.x0)
            overlap_y = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert overlap_x < 2 or overlap_y < 2, f"{a.get_text()!r} covers {b.get_text()!r}"


def random_table(rows, columns, names="proxy_{}"):
    values = np.random.default_rng(rows).uniform(-1, 1, size=(rows, columns))
    return pd.DataFrame(
        values,
        index=[f"{names.format(i)}" for i in range(rows)],
        columns=[f"task_number_{i}" for i in range(columns)],
    )


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 1), (25, 1), (25, 20)])
def test_heatmap_texts_lie_inside_and_apart(rows, columns):
    figure = figures.heatmap(random_table(rows, columns), title="NAS-Bench-201", subtitle=SUBTITLE)
    assert_inside(figure)


def test_heatmap_prints_the_table():
    table = random_table(6, 4)
    table.iloc[2, 1] = table.iloc[5, 3] = np.nan
    table.iloc[0, :2] = [1.0, -0.004]
    ax = figures.heatmap(table, title="t").axes[0]
    cells = {t.get_position(): t.get_text() for t in ax.texts}
    assert len(cells) == table.size
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        text = cells[column + 0.5, row + 0.5]
        if np.isnan(value):
            assert text == "–"
        else:
            assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.005 + 1e-12)
            assert len(text.lstrip("−")) == 4
    assert [t.get_text() for t in ax.get_yticklabels()] == list(table.index)
    assert [t.get_text() for t in ax.get_xticklabels()] == list(table.columns)
    assert ax.yaxis_inverted()  # the first row is on top


def test_heatmap_hatches_only_undefined_cells():
    table = random_table(3, 3)
    table.iloc[1, 1] = np.nan
    figure = figures.heatmap(table, title="t")
    ax = figure.axes[0]
    assert ax.patch.get_hatch()
    np.testing.assert_array_equal(np.ma.getmaskarray(ax.collections[0].get_array()), table.isna())
    assert ax.collections[0].get_clim() == (-1, 1)


@pytest.mark.parametrize("ax_text", [0.9, -0.9, 0.0])
def test_numbers_contrast_with_their_cell(ax_text):
    ax = figures.heatmap(pd.DataFrame([[ax_text]], index=["a"], columns=["b"]), title="t").axes[0]
    assert (ax.texts[0].get_color() == "white") == (abs(ax_text) > 0.8)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.834, "0.83"), (-0.126, "−0.13"), (1, "1.00"), (-0.001, "0.00"), (np.nan, "–")],
)
def test_printed(value, text):
    assert printed(value) == text


def test_heatmap_refuses_nonsense():
    with pytest.raises(HarnessError, match="empty"):
        figures.heatmap(pd.DataFrame(), title="t")
    with pytest.raises(HarnessError, match="outside"):
        figures.heatmap(pd.DataFrame([[64.0]]), title="t")


def test_correlation_heatmap_shows_seeds_then_mean(scores, summary):
    rows = stats.correlations(scores)
    figure = figures.correlation_heatmap(rows, summary, "NAS-Bench-201", SUBTITLE)
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "1", "mean"]
    assert [t.get_text() for t in ax.get_yticklabels()] == list(summary["proxy"])
    cells = {t.get_position(): t.get_text() for t in ax.texts}
    for i, proxy in enumerate(summary["proxy"]):
        own = rows[rows["proxy"] == proxy].sort_values("seed")["spearman"].tolist()
        expected = [*own, summary["spearman_mean"].iloc[i]]
        assert [cells[j + 0.5, i + 0.5] for j in range(3)] == [printed(v) for v in expected]
    assert_inside(figure)
    with pytest.raises(HarnessError, match="one space and task"):
        two = pd.concat([rows, rows.assign(task="cifar10")])
        figures.correlation_heatmap(two, summary, "t")


@pytest.mark.parametrize("proxies", [1, 3, 7, 25])
def test_scatter_has_one_full_panel_per_proxy(proxies):
    scores = make_scores(proxies=proxies)
    summary = stats.summary(scores, resamples=5)
    figure = figures.scatter(
        scores, summary, "NAS-Bench-201", SUBTITLE, truth_label="validation accuracy (%)"
    )
    assert len(figure.axes) == proxies
    for ax, row in zip(figure.axes, summary.itertuples(), strict=True):
        assert ax.get_title().startswith(f"{row.proxy}\nρ = {printed(row.spearman_mean)}")
        own = scores[(scores["proxy"] == row.proxy) & (scores["seed"] == 0)]
        drawn = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)]
        undefined = own[own["status"] == "undefined"]
        ok = own[own["status"] == "ok"]
        assert [len(points) for points in drawn] == [len(ok), len(undefined)]
        np.testing.assert_allclose(drawn[0][:, 1], ok["truth"])
        assert all(c.get_rasterized() for c in ax.collections)
        assert (f"× {len(undefined)} undefined" in ax.get_xlabel()) == bool(len(undefined))
        failed = len(own) - len(ok) - len(undefined)
        assert (f"{failed} failed" in ax.get_xlabel()) == bool(failed)
    assert_inside(figure)


def test_scatter_draws_the_seed_asked_for(scores, summary):
    figure = figures.scatter(scores, summary, "t", seed=1)
    position = list(summary["proxy"]).index("jacov")
    assert figure.axes[position].get_xlabel() == "no defined score\n× 60 undefined"
    with pytest.raises(HarnessError, match="the seeds are 0, 1"):
        figures.scatter(scores, summary, "t", seed=7)


def test_scatter_axis_says_what_it_shows():
    random = np.random.default_rng(0)
    normal, heavy = random.normal(size=1000), np.exp(3 * random.normal(size=1000))
    assert axis_scale(normal) == axis_scale(1e6 + 1e5 * normal) == "linear"
    assert axis_scale(random.uniform(size=1000)) == axis_scale(np.ones(5)) == "linear"
    assert axis_scale(heavy) == "log"
    assert axis_scale(-heavy) == axis_scale(heavy * np.sign(normal)) == "rank"
    assert axis_scale(np.append(heavy, 0)) == "rank"  # zero has no logarithm
    assert axis_scale(np.append(1000 + normal, 5000)) == "rank"  # a log axis would not help

    scores = make_scores(proxies=1, seeds=1)
    for values, label, scale in (
        (normal[:60], "score", "linear"),
        (heavy[:60], "score (log axis)", "log"),
        (-heavy[:60], "rank of score", "linear"),
    ):
        scores["value"] = values
        ax = figures.scatter(scores, stats.summary(scores, resamples=5), "t").axes[0]
        assert (ax.get_xlabel(), ax.get_xscale()) == (label, scale)
        order = np.argsort(np.asarray(ax.collections[0].get_offsets())[:, 0])
        np.testing.assert_array_equal(order, np.argsort(values))


@pytest.mark.parametrize("panels", range(1, 31))
def test_grid_holds_all_panels_without_an_empty_row(panels):
    columns, rows = grid(panels)
    assert columns <= 5
    assert (rows - 1) * columns < panels <= rows * columns


def test_saving_is_deterministic_and_leaves_nothing_behind(tmp_path, scores, summary):
    contents = []
    for name in ("first", "again"):
        folder = tmp_path / name
        for kind, figure in (
            ("heatmap", figures.correlation_heatmap(stats.correlations(scores), summary, "t")),
            ("scatter", figures.scatter(scores, summary, "t")),
        ):
            paths = figures.save(figure, folder / f"v1.0-{kind}", FORMATS)
            assert paths == [folder / f"v1.0-{kind}.{suffix}" for suffix in ("png", "svg", "pdf")]
        assert len(list(folder.iterdir())) == 6
        contents.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert contents[0] == contents[1]
    assert not any(date in file for file in contents[0] for date in (b"<dc:date>", b"CreationDate"))
    assert plt.get_fignums() == []  # no figure is left in pyplot's hands


def test_text_of_a_picture_is_text_and_a_heading_only_where_wanted(tmp_path):
    def drawn(name):
        figure = figures.heatmap(random_table(3, 2), title="A heading", subtitle=SUBTITLE)
        (path,) = figures.save(figure, tmp_path / name, ["svg"])
        return figure.get_figheight(), path.read_text()

    height, text = drawn("whole")
    assert ">A heading<" in text and ">Spearman's ρ<" in text
    with style.drawing(bare=True):
        less, text = drawn("bare")
    assert "A heading" not in text and ">Spearman's ρ<" in text
    assert less < height - 0.2
    assert drawn("again") == drawn("whole")


def test_png_is_saved_at_200_dots_per_inch_unclipped(tmp_path):
    figure = figures.heatmap(random_table(3, 2), title="NAS-Bench-201", subtitle=SUBTITLE)
    (path,) = figures.save(figure, tmp_path / "heatmap", ["png"])
    pixels = plt.imread(path)[..., :3]
    assert pixels.shape[1] / figure.get_figwidth() == pytest.approx(style.DPI, rel=0.1)
    border = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
    assert all((edge == 1).all() for edge in border)
    with pytest.raises(HarnessError, match="figure format 'jpg'"):
        figures.save(figure, tmp_path / "heatmap", ["jpg"])


def test_fewer_colours_change_a_picture_invisibly_or_not_at_all(tmp_path, scores, summary):
    def saved(figure):
        (path,) = figures.save(figure, tmp_path / "figure")
        with Image.open(path) as picture:
            return picture.mode, np.asarray(picture.convert("RGB")).astype(int)

    with patch.object(style, "reduce_colours"):
        _, whole = saved(figures.scatter(scores, summary, "t"))
    mode, fewer = saved(figures.scatter(scores, summary, "t"))
    assert mode == "P", "256 colours"
    assert abs(whole - fewer).max() <= style.INVISIBLE
    mode, _ = saved(figures.heatmap(random_table(6, 4), title="a scale of many colours"))
    assert mode != "P"


def test_drawing_leaves_the_users_settings_alone(scores, summary):
    before = dict(plt.rcParams)
    figures.scatter(scores, summary, "t")
    assert dict(plt.rcParams) == before


def test_atomic_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def rendered(table, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_terminal_table_fits_80_columns_and_loses_no_number(scores, summary):
    seconds = dict.fromkeys(summary["proxy"], 0.0123)
    text = rendered(figures.results_table(summary, seconds, title="NAS-Bench-201"))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for row in summary.itertuples():
        (line,) = [x for x in text.splitlines() if x.strip().startswith(row.proxy[:10])]
        assert printed(row.spearman_mean) in line
        assert printed(row.kendall_mean) in line
        assert "0.012" in line
        numbers = line.split()
        assert {str(row.n), str(row.n_undefined), str(row.n_failed)} <= set(numbers)
        if not np.isnan(row.spearman_mean):
            assert f"± {row.spearman_std:.2f}" in line
            assert f"[{printed(row.spearman_low)}, {printed(row.spearman_high)}]" in line


def test_terminal_table_shows_optional_columns_only_when_needed(scores):
    plain = stats.summary(scores[scores["proxy"] == "reg_swap"], resamples=5)
    text = rendered(figures.results_table(plain, confidence=0.9))
    assert "90%" in text
    assert not re.search("undef|failed|s per", text)
    ntk = stats.summary(scores[scores["proxy"] == "ntk"], resamples=5)
    assert "failed" in rendered(figures.results_table(ntk))
    assert "undef" not in rendered(figures.results_table(ntk))


@pytest.mark.parametrize("width", range(44, 90, 3))
def test_a_narrow_terminal_loses_columns_before_names_break(scores, summary, width):
    seconds = dict.fromkeys(summary["proxy"], 0.0123)
    text = rendered(figures.results_table(summary, seconds, width=width), width)
    lines = [line.split(" ")[0] for line in text.splitlines()]
    whole = [name for name in summary["proxy"] if name in lines]
    if whole != list(summary["proxy"]):
        assert "Kendall" not in text and "s per" not in text, "nothing was left to go"
    if "Kendall" not in text:
        more = rendered(figures.results_table(summary, seconds, width=999), width)
        named = [line.split(" ")[0] for line in more.splitlines()]
        assert not set(summary["proxy"]) <= set(named), "it had room"


def test_few_architectures_have_no_interval_on_a_terminal(summary):
    for n, shown in ((9, False), (10, True)):
        text = rendered(figures.results_table(summary.assign(n=n, spearman_low=0.11)))
        assert ("[0.11" in text) is shown


def test_tables_carry_the_frame(tmp_path):
    frame = pd.DataFrame(
        {"proxy": ["reg_swap", "a|b & 50%"], "n": [1000, -2], "ρ": [-0.123456789, np.nan]}
    )
    formats = ("csv", "md", "tex")
    path = tmp_path / "new" / "summary"
    csv, md, tex = figures.write_tables(frame, path, formats, float_format="%.2f")
    pd.testing.assert_frame_equal(pd.read_csv(csv), frame, check_exact=True)
    assert md.read_text() == (
        "| proxy | n | ρ |\n| --- | ---: | ---: |\n"
        "| reg_swap | 1000 | −0.12 |\n| a\\|b & 50% | −2 | – |\n"
    )
    assert tex.read_text() == (
        "\\begin{tabular}{lrr}\n\\toprule\nproxy & n & ρ \\\\\n\\midrule\n"
        "reg\\_swap & 1000 & $-$0.12 \\\\\na|b \\& 50\\% & $-$2 & -- \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )
    assert sorted(csv.parent.iterdir()) == [csv, md, tex]
    with pytest.raises(HarnessError, match="table format 'xlsx'"):
        figures.write_tables(frame, tmp_path / "summary", ["xlsx"])


def test_heatmap_notes_and_absent_cells():
    table = random_table(5, 13)
    table.iloc[1, 2] = table.iloc[3, 4] = np.nan
    absent = np.zeros(table.shape, dtype=bool)
    absent[3, 4] = True
    notes = [f"5×{1000 + i}" for i in range(13)]
    figure = figures.heatmap(table, title="t", subtitle=SUBTITLE, below=notes, absent=absent)
    assert_inside(figure)
    ax = figure.axes[0]
    shown = {t.get_position(): t.get_text() for t in ax.texts}
    assert shown[2.5, 1.5] == printed(np.nan)
    assert (4.5, 3.5) not in shown, "what was not measured stays empty"
    assert [t.get_text() for t in ax.texts if "×" in t.get_text()] == notes
    figure.canvas.draw()
    for note, label in zip(notes, ax.get_xticklabels(), strict=True):
        text = next(t for t in ax.texts if t.get_text() == note)
        centre = text.get_window_extent().get_points().mean(axis=0)
        cell = ax.transData.transform((notes.index(note) + 0.5, 5))
        assert abs(centre[0] - cell[0]) < 2 and centre[1] < cell[1], "below its own column"
        assert label.get_window_extent().y1 < text.get_window_extent().y0 + 2


def test_heatmap_marks_corners_and_fades_columns():
    table = random_table(3, 4)
    crowded = np.zeros(table.shape, dtype=bool)
    crowded[2, 1] = True
    plain = figures.heatmap(table, title="t").axes[0]
    faded = [False, True, False, True]
    ax = figures.heatmap(table, title="t", crowded=crowded, faded=faded).axes[0]
    (corner,) = [p for p in ax.patches if isinstance(p, Polygon)]
    x, y = corner.get_xy().mean(axis=0)
    assert 1.8 < x < 2 and 2 < y < 2.3, "the upper right corner of row 2, column 1"
    veils = [p for p in ax.patches if isinstance(p, Rectangle)]
    assert [(v.get_x(), v.get_height()) for v in veils] == [(1, 3), (3, 3)]
    colours = [t.get_color() for t in ax.texts]
    assert set(colours[1::2]) == {style.MUTED}, "numbers lie on the veil, none is white"
    assert style.MUTED not in colours[::2]
    assert not plain.patches


def make_panel(scores, proxy, title="NB201 CIFAR-100*\nρ = −0.87 ± 0.01, n = 5×1000", group=""):
    rows = scores[(scores.proxy == proxy) & (scores.seed == 0)]
    return figures.Panel(title, rows, group or proxy)


@pytest.mark.parametrize("count", [1, 3, 13])
def test_panels_texts_lie_inside_and_apart(scores, count):
    shown = [make_panel(scores, NAMES[i % 4]) for i in range(count)]
    assert_inside(figures.panels(shown, "Figure 16", SUBTITLE, truth_label="accuracy"))


def test_panels_draw_every_defined_score_in_the_colour_of_their_group(scores):
    shown = [make_panel(scores, name, group=name[:3]) for name in ("nwot", "reg_swap", "fisher")]
    shown.append(make_panel(scores, "jacov", group="reg"))
    figure = figures.panels(shown, "t")
    colours = []
    for ax, one in zip(figure.axes, shown, strict=True):
        points = next(c for c in ax.collections if isinstance(c, PathCollection))
        assert len(points.get_offsets()) == (one.rows.status == "ok").sum()
        colours.append(tuple(points.get_facecolor()[0]))
    assert colours[1] == colours[3]
    assert len(set(colours)) == 3


def test_a_constant_score_has_one_tick(scores):
    (ax,) = figures.panels([make_panel(scores, "constant")], "t").axes
    assert ax.get_xticks().tolist() == [1.0]


def test_no_panels():
    with pytest.raises(HarnessError, match="nothing to draw"):
        figures.panels([], "t")


def make_curves(panels, lines):
    x = np.array([3.0, 15.0, 32.0])
    named = [figures.Curve(f"curve {i}", x, x / 40 - i / 10) for i in range(lines)]
    return [figures.CurvePanel(f"panel {i}", named, x.tolist()) for i in range(panels)]


@pytest.mark.parametrize(("panels", "lines"), [(1, 1), (2, 4), (5, 3)])
def test_curves_texts_lie_inside_and_apart(panels, lines):
    shown = make_curves(panels, lines)
    figure = figures.curves(
        shown, "Title", SUBTITLE, x_label="side, pixels", y_label="ρ", markers=True
    )
    assert_inside(figure)
    for ax in figure.axes:
        drawn = ax.get_lines()
        assert len({line.get_linestyle() for line in drawn}) == lines, "tell apart without colour"
        assert len({line.get_marker() for line in drawn}) == lines
        assert [line.get_label() for line in drawn] == [f"curve {i}" for i in range(lines)]
        assert np.allclose(drawn[0].get_ydata(), np.array([3, 15, 32]) / 40)


@pytest.mark.parametrize("shown", [[], make_curves(1, 6)])
def test_too_many_or_no_curves(shown):
    with pytest.raises(HarnessError, match="1 to 5 curves"):
        figures.curves(shown, "t", x_label="x", y_label="y")


def test_histogram_counts():
    values = np.random.default_rng(0).normal(size=500)
    figure = figures.histogram(values, "Sizes", SUBTITLE, x_label="million parameters", bins=10)
    assert_inside(figure)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == np.histogram(values, bins=10)[0].tolist()


def make_costs(panels, points, crowded=False):
    random = np.random.default_rng(points)
    parts = []
    for panel in range(panels):
        seconds = np.sort(10 ** random.uniform(-3, 1, size=points))
        seconds = 1 + seconds / 100 if crowded else seconds
        rho = np.linspace(0.4, 0.9, points)
        rho[0] = -0.5 if points > 1 else rho[0]
        rows = {"name": [f"a_long_proxy_{i}" for i in range(points)], "seconds": seconds}
        ends = {"low": rho - 0.05, "high": rho + 0.05, "on_front": rho > 0, "n": 1000}
        parts.append(
            pd.DataFrame({"column": f"nb201/task{panel}", **rows, "spearman": rho, **ends})
        )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("panels", "points"), [(1, 1), (1, 5), (13, 6)])
@pytest.mark.parametrize("crowded", [False, True])
def test_names_on_the_front_lie_inside_and_apart(panels, points, crowded):
    table = make_costs(panels, points, crowded)
    figure = figures.tradeoff(
        table, "Cost", SUBTITLE, x_label="seconds per architecture", y_label="Spearman's ρ"
    )
    figure.canvas.draw()
    for ax in figure.axes:
        names = [text for text in ax.texts if text.get_text().startswith("a_long")]
        boxes = [plt.Text.get_window_extent(text) for text in names]  # without the lines to points
        assert len(names) == max(1, points - 1), "those above 0"
        for i, box in enumerate(boxes):
            assert box.x0 >= figure.bbox.x0
            assert box.x1 <= figure.bbox.x1
            assert box.y1 <= ax.bbox.y1 + 2
            # Letters have a little less than their box.
            assert not any(box.shrunk(0.9, 0.7).overlaps(other) for other in boxes[:i])
    assert said_by(figure).count("1 below 0") == (panels if points > 1 else 0)


def test_no_costs():
    with pytest.raises(HarnessError, match="nothing to draw"):
        figures.tradeoff(make_costs(1, 1).iloc[:0], "Cost", x_label="s", y_label="ρ")


def said_by(figure):
    return " ".join(" ".join(text.get_text() for text, _ in texts(figure)).split())


def test_rank_axes_are_those_of_rho() -> None:
    """Ranks of scores and of accuracies, ties as scipy has them: their Pearson correlation is ρ."""
    rows = pd.DataFrame(
        {"value": [3.0, 1e9, 3.0, -2.0, 7.0], "truth": [50.0, 90.0, 70.0, 70.0, 1.0]}
    )
    rows = rows.assign(space="s", task="t", proxy="p", seed=0, key=list("abcde"), status="ok")
    summary = stats.summary(rows, resamples=10)
    with style.drawing(ranks=True):
        figure = figures.scatter(rows, summary, "t", truth_label="top-1 accuracy (%)")
    ax = figure.axes[0]
    x, y = np.asarray(ax.collections[0].get_offsets()).T
    assert x.tolist() == scipy.stats.rankdata(rows.value).tolist()
    assert y.tolist() == scipy.stats.rankdata(rows.truth).tolist()
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(summary.spearman_mean[0])
    assert ax.get_xlabel() == "rank of score"
    assert "rank of top-1 accuracy" in said_by(figure)
    low, high = ax.get_ylim()
    assert low < 1 and high > 5
    assert "top-1 accuracy (%)" in said_by(
        figures.scatter(rows, summary, "t", truth_label="top-1 accuracy (%)")
    )


def test_undefined_and_not_scored_are_said_alike_everywhere() -> None:
    said = "– undefined; empty: not scored."
    table = pd.DataFrame({"a": [0.1, np.nan], "b": [0.3, 0.2]}, index=["p", "q"])
    absent = np.array([[False, False], [False, True]])
    assert said in said_by(figures.heatmap(table, title="t", absent=absent))
    assert "undefined" not in said_by(figures.heatmap(table.fillna(0), title="t"))
    rows = pd.DataFrame(
        {"column": ["a", "a", "b"], "proxy": ["p", "q", "p"], "n": 9, "rho": [0.1, np.nan, 0.3]}
    ).assign(low=0.0, high=0.5)
    drawn = figures.intervals(rows, "rho", "t")
    assert said in said_by(drawn)
    assert sum(text.get_text() == "–" for ax in drawn.axes for text in ax.texts) == 1
    assert "undefined" not in said_by(figures.intervals(rows[:1], "rho", "t"))
    costs = make_costs(1, 3)
    costs.loc[costs.index[0], ["spearman", "low", "high", "on_front"]] = [np.nan] * 3 + [False]
    assert "1 undefined" in said_by(figures.tradeoff(costs, "t", x_label="x", y_label="y"))

"""The report: what it finds, what its tables and figures say, and that it is one honest page."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stored import store

from harness.config import Config
from harness.core.errors import DataError
from harness.figures.style import is_dark
from harness.report.columns import find_columns
from harness.report.definitions import definitions
from harness.report.interactive_heatmap import heatmap, proxy_order
from harness.report.origins import absent, overview
from harness.report.other_results import read_folder
from harness.report.page import Origin, render
from harness.report.page_file import write_page
from harness.report.page_style import MUTED
from harness.report.page_tables import arranged, cell, table
from harness.report.points import LIMIT, points
from harness.results.folder import replacing


def write_report(results):
    return write_page(Config(job="report", study="report", results=str(results)))


def write_files(folder, **files):
    """Leaves a folder of files as a job does; an underscore stands for the point of a name."""
    with replacing(folder) as fresh:
        (fresh / "run.json").write_text("{}")
        for name, text in files.items():
            (fresh / ".".join(name.rsplit("_", 1))).write_text(text, encoding="utf-8")


def write_result(
    root,
    space="nb201",
    task="cifar10",
    *,
    study="main",
    proxies=("swap", "params"),
    n=30,
    power=1,
    inputs=None,
):
    """Stores scores: the first proxy is undefined once, the third backward."""
    random, signs = np.random.default_rng(len(task)), (1.0, 0.5, -1.0)
    rows = [
        {
            "space": space,
            "task": task,
            "key": f"|cell_{i}<b>~0|+|none~1|",
            "proxy": proxy,
            "seed": seed,
            "value": np.nan if (i, p) == (0, 0) else signs[p] * i + random.normal(scale=9),
            "status": "undefined" if (i, p) == (0, 0) else "ok",
            "seconds": 0.5,
            "message": "",
            "truth": 60 + i + seed,
        }
        for p, proxy in enumerate(proxies)
        for seed in (0, 1)
        for i in range(n)
    ]
    scores = pd.DataFrame(rows)
    scores.loc[scores.proxy == "params", "value"] **= power
    return store(root, scores, study=study, inputs={"stand_in": task == "jigsaw"} | (inputs or {}))


@pytest.fixture
def results(tmp_path):
    write_result(tmp_path)
    write_result(tmp_path, "tnb101_micro", "jigsaw")
    write_result(tmp_path, study="many", proxies=("swap", "params", "elsewhere"))
    write_result(tmp_path, study="sensitivity/few")
    write_result(tmp_path, task="digits", study="demo")
    return tmp_path


def text_of(page):
    return page.read_text(encoding="utf-8")


def embedded(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', text_of(page), re.S)[1])


def test_finds_results_of_all_studies_and_leaves_trials_out(results):
    found = find_columns(results)
    assert [r.name for r in found] == ["nb201/cifar10", "tnb101_micro/jigsaw", "many/nb201/cifar10"]
    assert [r.in_main for r in found] == [True, True, False]
    assert [r.marks for r in found] == ["†", "†‡", "†"]
    assert absent(found)[0] == "autoformer/chaoyang"
    assert "darts_swap/cifar10" in absent(found)
    assert "nb201/cifar10" not in absent(found)
    assert not any(name.endswith("/digits") for name in absent(found))


def test_the_page_says_how_much_of_a_set_was_used(tmp_path):
    part = {"n": 10_000, "of": 50_000, "split": "training"}
    write_result(tmp_path, inputs=part)
    write_result(tmp_path, "tnb101_micro", "jigsaw", inputs={"n": 64, "of": None, "split": ""})
    write_result(tmp_path, study="older")
    shown = overview(find_columns(tmp_path))
    place = [name for name, _ in shown.columns].index("images")
    assert [row[place].text for row in shown.rows] == [
        "photographs (10,000 of 50,000 training images)",
        "photographs (a stand-in, 64 images)",
        "photographs",
    ]


def test_an_empty_or_broken_folder_is_told(results, tmp_path):
    (tmp_path / "trials").mkdir()
    with pytest.raises(DataError, match=r"no scores\.parquet"):
        find_columns(tmp_path / "trials")
    summary = results / "main/nb201/cifar10/summary.csv"
    summary.write_text(summary.read_text().replace("swap", "swop"))
    with pytest.raises(DataError, match="changed or damaged"):
        find_columns(results)
    with replacing(summary.parent) as fresh:
        shutil.copytree(results / "many/nb201/cifar10", fresh, dirs_exist_ok=True)
        (fresh / "summary.csv").write_text("proxy,n\nswap,3\n")
    with pytest.raises(DataError, match=r"summary\.csv does not have one row for each proxy"):
        find_columns(results)
    with pytest.raises(DataError, match="no scores"):
        write_report(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_rows_are_ordered_by_mean_and_rare_proxies_come_last(results):
    found = find_columns(results)
    for result, value in zip(found, (0.1, 0.3, 0.2), strict=True):
        result.summary.loc[result.summary.proxy == "swap", "spearman_mean"] = value
        result.summary.loc[result.summary.proxy == "params", "spearman_mean"] = 0.5
        result.summary.loc[result.summary.proxy == "elsewhere", "spearman_mean"] = 0.9
    assert proxy_order(found) == ["params", "swap", "elsewhere"]
    assert proxy_order(found[2:]) == ["elsewhere", "params", "swap"]


def test_heat_map_says_what_each_cell_rests_on(tmp_path):
    write_result(tmp_path, n=120)
    write_result(tmp_path, "tnb101_micro", "jigsaw", n=120)
    found = find_columns(tmp_path)
    found[0].summary.loc[found[0].summary.proxy == "params", "spearman_mean"] = np.nan
    figure = heatmap(found)
    grey, coloured, _, numbers = figure.data
    assert (coloured.zmin, coloured.zmax) == (-1, 1)
    assert coloured.colorscale[0][1] == "rgb(103,0,31)", "red below zero"
    assert coloured.colorscale[len(coloured.colorscale) // 2] == (0.5, "rgb(247,247,247)")
    row = list(coloured.y).index("swap")
    (swap,) = found[1].summary[found[1].summary.proxy == "swap"].to_dict("records")
    assert coloured.z[row][1] == pytest.approx(swap["spearman_mean"], abs=1e-4)
    hover = coloured.customdata[row][1]
    for part in (
        f"{swap['spearman_mean']:.2f}",
        f"{swap['spearman_low']:.2f} to {swap['spearman_high']:.2f}",
        "120 architectures, 2 seeds",
        "2 undefined, 0 failed",
        "stand-in images",
    ):
        assert part in hover
    params = list(coloured.y).index("params")
    assert coloured.z[params][0] is None and grey.z[params][0] == 0
    assert grey.z[row][1] is None
    shown = dict(zip(zip(numbers.x, numbers.y, strict=True), numbers.text, strict=True))
    assert shown[found[0].label, "params"] == "\N{EN DASH}"
    assert shown[found[1].label, "swap"] == f"{swap['spearman_mean']:.2f}"
    for value, colour in zip((-1.0, 0.0, 1.0), ("white", "#1b1f24", "white"), strict=True):
        found[1].summary.loc[found[1].summary.proxy == "swap", "spearman_mean"] = value
        numbers = heatmap(found).data[-1]
        inks = dict(
            zip(zip(numbers.x, numbers.y, strict=True), numbers.textfont.color, strict=True)
        )
        assert inks[found[1].label, "swap"] == colour
    assert is_dark((0.0, 0.0, 0.0))


def test_heat_map_fades_columns_of_few_architectures(tmp_path):
    """A veil under muted numbers; what was not scored and what is undefined stay told apart."""
    write_result(tmp_path, n=100)
    write_result(tmp_path, "tnb101_micro", "jigsaw", n=99, proxies=("swap", "params", "nwot"))
    enough, few = found = find_columns(tmp_path)
    for column in found:
        column.summary.loc[column.summary.proxy == "params", "spearman_mean"] = np.nan
    grey, _, veil, numbers = heatmap(found).data
    assert veil.hoverinfo == "skip" and 0 < veil.opacity < 1
    of = {proxy: list(veil.y).index(proxy) for proxy in ("swap", "params", "nwot")}
    assert {proxy: veil.z[row] for proxy, row in of.items()} == {name: [None, 0] for name in of}
    assert [grey.z[of[proxy]] for proxy in of] == [[None, None], [0, 0], [None, None]]
    places = list(zip(numbers.x, numbers.y, numbers.textfont.color, strict=True))
    assert {ink for label, _, ink in places if label == few.label} == {MUTED}
    assert MUTED not in {ink for label, _, ink in places if label == enough.label}
    assert (enough.label, "nwot") not in {place[:2] for place in places}


def test_points_keep_names_values_and_status(results):
    result = find_columns(results)[0]
    panel = points(result)
    swap = panel["proxies"]["swap"]
    assert swap["values"][0] is None and swap["status"] == {0: "undefined"}
    first = result.scores[(result.scores.proxy == "swap") & (result.scores.seed == 0)]
    by_key = dict(zip(first.key, first.value, strict=True))
    for key, value, truth in list(zip(panel["keys"], swap["values"], panel["truth"], strict=True))[
        1:
    ]:
        assert value == pytest.approx(by_key[key], rel=1e-5)
        assert truth == int(key.split("_")[1].split("<")[0]) + 60
    assert panel["note"] == "30 architectures of seed 0"


def test_rank_axis_and_sampling_are_said(tmp_path):
    write_result(tmp_path, n=LIMIT + 50, power=9)
    panel = points(find_columns(tmp_path)[0])
    assert len(panel["keys"]) == LIMIT
    assert panel["note"] == f"{LIMIT} architectures of seed 0 (the first of {LIMIT + 50})"
    params = panel["proxies"]["params"]
    assert params["label"] == "rank of score"
    order = np.lexsort((params["x"], params["values"]))  # rounding makes ties of values
    assert (np.diff(np.array(params["x"])[order]) >= 0).all()


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (0.8327, "0.833", "number"),
        (-0.12, "−0.120", "number"),
        (-0.0, "0.000", "number"),
        (3e-5, "3.0e−05", "number"),
        (1000, "1000", "number"),
        (15625, "15,625", "number"),
        (float("nan"), "\N{EN DASH}", "text"),
        (None, "\N{EN DASH}", "text"),
        (True, "yes", "yes"),
        (np.False_, "no", "no"),
        ("yes", "yes", "yes"),
        ("agrees", "agrees", "yes"),
        ("differs", "differs", "no"),
        ("too few to tell", "too few to tell", "text"),
        ("Table 5", "Table 5", "text"),
    ],
)
def test_cells(value, text, kind):
    made = cell(value)
    assert (made.text, made.kind) == (text, kind)
    if kind == "number":
        assert float(made.sort) == value


def test_a_long_table_says_what_it_leaves_out():
    made = table(pd.DataFrame({"a_b": range(10)}), "Numbers", file="x.csv", limit=3)
    assert (len(made.rows), made.total, made.columns) == (3, 10, [("a b", True)])


def test_columns_can_be_arranged():
    made = arranged(table(pd.DataFrame({"a": [1], "b": ["x"], "c": [2]}), "T"), ["c", "z", "b"])
    assert made.columns == [("c", True), ("b", False), ("a", True)]
    assert [c.text for c in made.rows[0]] == ["2", "x", "1"]


def test_folders_list_tables_and_pictures_in_order(tmp_path):
    folder = tmp_path / "paper"
    write_files(folder / "more", figure4_svg="", figure4_png="")
    write_files(folder, figure16_png="", table5_csv="mu,ours\n1.5,0.87\n", empty_txt="")
    (folder / "mine.csv").write_text("not,named\n")
    found = read_folder(folder, tmp_path / "report")
    assert list(found.pictures) == ["figure4", "figure16"]
    assert found.pictures["figure16"].caption == "Figure 16"
    assert found.pictures["figure4"].file == "../paper/more/figure4.png"
    assert [name for name, _ in found.pictures["figure4"].others] == ["SVG"]
    assert list(found.tables) == ["table5"], "what no record names is not shown"
    assert found.tables["table5"].rows[0][1].text == "0.870"
    assert not read_folder(tmp_path / "none", tmp_path)
    (folder / "table5.csv").write_text("mu,ours\n1.5,0.97\n")
    with pytest.raises(DataError, match=r"table5\.csv is not the file that run\.json"):
        read_folder(folder, tmp_path)


def write_analyses(results):
    """Leaves four analyses of two themes, one of them without an answer."""
    said = {
        name: {"question": f"Is {name} so?", "chapter": chapter, "finding": finding, "files": files}
        for name, chapter, finding, files in (
            ("later", 21, "ρ = 0.21 [−0.1, 0.3] <b>, n = 9.", []),
            ("second", 11, "ρ = 0.11.", []),
            ("first", 10, "ρ = 0.10.", ["first.csv"]),
            ("silent", 20, "", []),
        )
    }
    with replacing(results / "analysis") as fresh:
        (fresh / "first.csv").write_text("x\n" + "1\n" * 200)
        (fresh / "run.json").write_text(json.dumps({"artefacts": said}))


def test_the_story_has_a_sentence_per_theme_and_each_leads_to_its_chapter(results):
    write_analyses(results)
    text = write_report(results).read_text(encoding="utf-8")
    (story,) = re.findall(r'<ol class="story">(.*?)</ol>', text, re.DOTALL)
    sentences = re.findall(
        r"<li>(.*?) <a href=\"#(.*?)\">(.*?)</a></li>", story.replace("\N{NO-BREAK SPACE}", "_")
    )
    assert sentences == [
        ("ρ_=_0.10.", "analysis-first", "Is first so?"),
        ("ρ_=_0.21_[−0.1,_0.3] &lt;b&gt;, n_=_9.", "analysis-later", "Is later so?"),
    ]
    headings = re.findall(r'<h3 id="analysis-(\w+)">', text)
    assert headings == ["first", "second", "silent", "later"], "all of them, in their order"
    assert text.count("0.11.") == 1, "told in its chapter"
    assert "The first 60 of 200 rows" in text


def test_definitions_come_from_docstrings():
    entries = definitions(["swap", "az_nas", "elsewhere", "swap", "grasp"])
    assert [entry.name for entry in entries] == ["az_nas", "elsewhere", "grasp", "swap"]
    by_name = {entry.name: entry for entry in entries}
    assert "Source: Peng et al. 2024" in by_name["swap"].paragraphs[-1]
    assert "<code>" in " ".join(by_name["grasp"].paragraphs)
    assert "az_trainability" in by_name["az_nas"].facts
    assert "not installed" in by_name["elsewhere"].paragraphs[0]


def test_the_page_is_whole_and_the_same_every_time(results):
    page = write_report(results)
    text = text_of(page)
    assert page == results / "report" / "index.html"
    assert (page.parent / "plotly.min.js").stat().st_size > 1e6
    assert write_report(results) and text_of(page) == text
    assert not re.search(r'(src|href)="(https?:)?//', text), "nothing comes from a network"
    assert "feedbeef00" in text
    assert "some &lt;processor&gt;" in text, "what files say is text, not markup"
    assert "paper/compare.csv" in text and "make compare" in text, "absence is said"
    assert embedded(page)["nb201/cifar10\N{NO-BREAK SPACE}†"]["keys"][0].startswith("|cell_0<b>")
    assert "<b>~0" not in text.partition('id="data"')[0]


def test_the_comparison_and_its_neighbours_are_included(results):
    columns = "artefact,what,paper,ours,difference,verdict,why\n"
    rows = 'table5,μ=σ=1.5,0.90,0.871,-0.029,agrees,\ntable4,μ,0.7,,,,"fewer, cells"\n'
    write_files(results / "paper", compare_csv=columns + rows, table5_csv="mu\n1.5\n")
    text = text_of(write_report(results))
    assert "μ=σ=1.5" in text and "fewer, cells" in text and "−0.029" in text
    assert text.count(">compare.csv<") == 1 and ">table5.csv<" in text
    assert "make compare" not in text
    for link in re.findall(r'href="(\.\./[^"]+)"', text):
        assert (results / "report" / link).exists(), link


def test_a_page_without_columns_of_its_own_still_shows_what_there_is(results):
    shutil.rmtree(results / "main")
    assert "many/nb201/cifar10" in text_of(write_report(results))


def test_the_page_names_what_made_it(results):
    page = render(find_columns(results), results, results, Origin("0.1.0", "0123456789abcdef+"))
    assert "zero-cost-harness 0.1.0, commit 0123456789+" in page


def test_committed_results_can_be_reported():
    committed = Path(__file__).parent.parent / "results"
    found = find_columns(committed)
    assert {"nb201/cifar10", "nb201/cifar100"} <= {result.name for result in found}
    for result in found:
        assert len(points(result)["keys"]) == min(result.n, LIMIT)

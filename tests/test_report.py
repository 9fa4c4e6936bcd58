"""The report: what it finds, what its tables and figures say, and that it is one honest page."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from stored import store

from harness.config import Config
from harness.core.errors import DataError
from harness.report.board import read_board
from harness.report.columns import find_columns
from harness.report.definitions import definitions
from harness.report.heat_map import heat_map, proxy_order
from harness.report.origins import absent, overview
from harness.report.other_results import read_folder
from harness.report.page import Origin, render
from harness.report.page_file import write_page
from harness.report.page_tables import ROWS, arranged, cell, table
from harness.report.points import LIMITS, points
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
    shown = overview(find_columns(tmp_path), tmp_path / "report")
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
    rows = heat_map(found)
    (swap,) = found[1].summary[found[1].summary.proxy == "swap"].to_dict("records")
    made = rows["swap"][1]
    assert float(made.sort) == pytest.approx(swap["spearman_mean"], rel=1e-5)
    assert made.text == f"{swap['spearman_mean']:.2f}"
    for part in (
        made.text,
        f"{swap['spearman_low']:.2f} to {swap['spearman_high']:.2f}",
        "120 architectures, 2 seeds",
        "2 undefined, 0 failed",
        "stand-in images",
    ):
        assert part in made.tip
    undefined = rows["params"][0]
    assert (undefined.text, undefined.sort, undefined.shade) == ("\N{EN DASH}", "", "undefined")
    for value, shade in (
        (-1.0, "low s20"),
        (-0.51, "low s10"),
        (0.0, "high s0"),
        (1.0, "high s20"),
    ):
        found[1].summary.loc[found[1].summary.proxy == "swap", "spearman_mean"] = value
        assert heat_map(found)["swap"][1].shade == shade


def test_heat_map_tells_few_unscored_and_undefined_apart(tmp_path):
    write_result(tmp_path, n=100)
    write_result(tmp_path, "tnb101_micro", "jigsaw", n=99, proxies=("swap", "params", "nwot"))
    write_result(tmp_path, study="many", proxies=("elsewhere", "swap"))
    found = find_columns(tmp_path)
    found[0].summary.loc[found[0].summary.proxy == "params", "spearman_mean"] = np.nan
    rows = heat_map(found)
    shades = {
        proxy: [cell and cell.shade.split()[-1] for cell in row] for proxy, row in rows.items()
    }
    assert shades["nwot"] == [None, "few", None]
    assert shades["params"] == ["undefined", "few", None]
    assert shades["swap"][0] != "few" and shades["swap"][1:] == ["few", "few"]
    assert list(rows)[-1] == "elsewhere", "what only other studies have comes last"


def test_a_cell_leads_to_its_architectures(tmp_path):
    write_result(tmp_path, proxies=("a,b&c=#", "params"))
    (column,) = find_columns(tmp_path)
    link = heat_map([column])["a,b&c=#"][0].link
    parts = dict(part.split("=") for part in link.removeprefix("#").split("&"))
    assert {name: unquote(value) for name, value in parts.items()} == {
        "column": "nb201/cifar10",
        "pair": "a,b&c=#",
        "at": "explorer",
    }
    assert "," not in parts["pair"], "a comma would part two proxies"


def embedded_points(column, **options):
    """One column's points, its lists in place."""
    made = points([column], **options)
    panel = made["columns"][column.name]
    keys = [made["keys"][column.space][at] for at in made["lists"][panel["at"]]]
    values = {name: made["lists"][one["values"]] for name, one in panel["proxies"].items()}
    return panel, keys, made["lists"][panel["truth"]], values


def test_points_keep_names_values_and_status(results):
    result = find_columns(results)[0]
    panel, keys, truths, values = embedded_points(result)
    assert values["swap"][0] is None
    assert panel["proxies"]["swap"]["status"] == {0: "undefined"}
    first = result.scores[(result.scores.proxy == "swap") & (result.scores.seed == 0)]
    by_key = dict(zip(first.key, first.value, strict=True))
    for key, value, truth in list(zip(keys, values["swap"], truths, strict=True))[1:]:
        assert value == pytest.approx(by_key[key], rel=1e-5)
        assert truth == int(key.split("_")[1].split("<")[0]) + 60
    assert panel["note"] == "30 architectures of seed 0"
    assert panel["undefined"] == "worst"


def test_points_are_fewer_where_they_would_not_fit(tmp_path, monkeypatch):
    write_result(tmp_path, n=LIMITS[0] + 50, power=9)
    (column,) = find_columns(tmp_path)
    panel, keys, *_ = embedded_points(column)
    assert len(keys) == LIMITS[0]
    whole = LIMITS[0] + 50
    assert panel["note"] == f"{LIMITS[0]} architectures of seed 0 (the first of {whole})"
    assert panel["proxies"]["params"]["scale"] == "rank"
    monkeypatch.setattr("harness.report.points.BUDGET", 50_000)
    made = points([column])
    assert len(json.dumps(made)) < 55_000
    assert len(made["lists"][0]) < LIMITS[0]
    assert f"the first of {whole}" in made["columns"][column.name]["note"]


def test_what_columns_share_is_stored_once(results):
    first, *_, other = found = find_columns(results)
    made = points(found)
    assert len(made["keys"]["nb201"]) == 30
    mine, others = (made["columns"][one.name]["proxies"]["swap"] for one in (first, other))
    assert mine["values"] == others["values"]
    assert len(set(map(tuple, made["lists"]))) == len(made["lists"])


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
    assert kind != "text" or made.sort in ("", text)


def test_a_long_table_is_its_file():
    frame = pd.DataFrame({"a_b": range(ROWS + 1)})
    made = table(frame, "Numbers", file="x.csv")
    assert (made.rows, made.total, made.columns) == ([], ROWS + 1, [("a b", True)])
    assert len(table(frame[:-1], "Numbers", file="x.csv").rows) == ROWS
    assert len(table(frame, "Numbers", limit=None).rows) == ROWS + 1


def test_columns_can_be_arranged():
    made = arranged(table(pd.DataFrame({"a": [1], "b": ["x"], "c": [2]}), "T"), ["c", "z", "b"])
    assert made.columns == [("c", True), ("b", False)]
    assert [c.text for c in made.rows[0]] == ["2", "x"]


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
    headings = re.findall(r'<details id="analysis-(\w+)">', text)
    assert headings == ["first", "second", "silent", "later"], "all of them, in their order"
    assert text.count("0.11.") == 1, "told in its chapter"
    assert re.search(r'<a href="../analysis/first.csv">First</a>.*200 rows', text)
    assert '<h2 id="leaderboard">' in text and "analysis/leaderboard.csv" in text, "absence is said"


def test_the_leaderboard_is_that_of_the_analyses(results):
    assert read_board(results / "analysis", results) == (None, [])
    pairs = (
        "first,second,difference,p,p_holm,better_in,worse_in,columns\nswap,params,-0.1,,,0,2,3\n"
    )
    write_files(
        results / "analysis",
        leaderboard_csv="proxy,average_rank,low,high\nparams,1.25,1,2\nswap,1.75,1,2\n",
        leaderboard_pairs_csv=pairs,
    )
    board, tests = read_board(results / "analysis", results / "report")
    assert [row[0].text for row in board.rows] == ["params", "swap"]
    assert board.file == "../analysis/leaderboard.csv"
    assert tests[0]["worse_in"] == 2 and tests[0]["p_holm"] is None, "NaN is no JSON"
    assert embedded(write_report(results))["pairs"] == tests


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
    assert {path.name for path in page.parent.iterdir()} == {"index.html", "run.json"}
    assert write_report(results) and text_of(page) == text
    assert not re.search(r'(src|href)="(https?:)?//', text), "nothing comes from a network"
    assert "feedbeef00" in text
    assert "paper/compare.csv" in text and "make compare" in text, "absence is said"
    assert embedded(page)["keys"]["nb201"][0].startswith("|cell_0<b>")
    for link in re.findall(r'href="(\.\./[^"]+)"', text):
        assert (page.parent / link).exists(), link
    assert "<b>~0" not in text.partition('id="data"')[0]


def test_the_comparison_and_its_neighbours_are_included(results):
    columns = "artefact,quantity,paper,ours,difference,verdict,why\n"
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
    page = render(found, committed, committed / "report", Origin("0", None))
    assert len(page.encode()) < 2e6

"""The report in a real browser: no errors, no network, and everything answers the pointer."""

import csv
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats
from test_report import write_analyses, write_files, write_report, write_result

from harness.report import page as page_module
from harness.report.columns import find_columns
from harness.report.heat_map import STEPS

playwright = pytest.importorskip("playwright.sync_api")
# Where the variable is set, a browser that does not start is a failure and no reason to skip.
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("HARNESS_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
# Without the last ones it calls home at every start.
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    # As wide as the paper's heat map: thirteen columns, long names.
    tasks = ["class_object", "class_scene", "room_layout", "segmentsemantic", "jigsaw"]
    for space in ("tnb101_macro", "tnb101_micro"):
        for task in tasks:
            write_result(results, space, task)
    for task in ("cifar10", "cifar100", "imagenet16_120"):
        write_result(results, task=task, proxies=("swap", "params", "nwot"))
    write_result(results, study="many")
    rows = [
        f"table{i},ρ,0.9,{i / 20},{i / 20 - 0.9:.3f},{verdict},{'why ' * i}"
        for i in range(1, 20)
        for verdict in ["agrees" if i > 15 else "differs"]
    ]
    head = "artefact,quantity,paper,ours,difference,verdict,why"
    wide = ",".join(f"quite_a_long_column_{i}" for i in range(30))
    write_files(
        results / "paper",
        compare_csv="\n".join([head, *rows]),
        table5_csv=f"{wide}\n{','.join('0' * 30)}\n",
    )
    write_analyses(results)
    return write_report(results)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser, page_file):
    """Opens the page at an address; afterwards nothing may have complained or left the machine."""
    problems, requests, opened = [], [], []

    def open_at(viewport=DESKTOP, address="", **options):
        page = browser.new_page(viewport=viewport, **options)
        opened.append(page)
        page.on(
            "console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else 0
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(page_file.as_uri() + address)
        page.wait_for_selector("#scatter svg")
        return page

    yield open_at
    for page in opened:
        page.close()
    assert problems == []
    assert requests
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def column_of(page, caption, index):
    rows = page.locator("table", has=page.locator("caption", has_text=caption)).locator("tbody tr")
    return rows.locator(f"td:nth-child({index})").all_inner_texts()


def test_tables_sort_by_value_in_both_directions(open_page):
    page = open_page(address="#numbers")
    caption = "Every proxy on every column"
    headings = page.locator("table", has=page.locator("caption", has_text=caption)).locator("th")
    rho, low = headings.nth(2), headings.nth(3)

    def numbers(index):
        return [float(t.split()[0].replace("−", "-")) for t in column_of(page, caption, index)]

    before = numbers(3)
    rho.locator("button").click()
    assert rho.get_attribute("aria-sort") == "descending", "numbers start with the largest"
    assert numbers(3) == sorted(before, reverse=True) != before
    rho.locator("button").click()
    assert rho.get_attribute("aria-sort") == "ascending"
    assert numbers(3) == sorted(before)
    assert min(before) < 0 < max(before), "negative numbers sort as numbers"
    low.locator("button").click()
    assert rho.get_attribute("aria-sort") is None
    assert numbers(4) == sorted(numbers(4), reverse=True)
    headings.nth(1).locator("button").press("Enter")
    names = column_of(page, caption, 2)
    assert names == sorted(names), "headings answer the keyboard"


def test_the_comparison_sorts_and_filters(open_page):
    page = open_page(address="#paper")
    page.get_by_role("button", name="artefact").click()
    assert column_of(page, "The paper’s numbers and ours", 1)[:3] == [
        "table1",
        "table2",
        "table3",
    ], "2 before 10"
    box = page.locator("#paper").get_by_role("searchbox")
    box.fill("agrees table17")
    shown = page.locator("#paper [data-filter] tbody tr:visible")
    assert [row.split("\t")[0] for row in shown.all_inner_texts()] == ["table17"]
    box.fill("")
    assert shown.count() == 19


def chosen_in(page):
    return page.evaluate("readAddress(location.hash)")


def test_the_heat_map_explains_a_cell_and_leads_to_its_architectures(open_page, page_file):
    page = open_page()
    column = find_columns(page_file.parent.parent)[1]
    row = column.summary.set_index("proxy").loc["params"]
    link = page.locator("#heat tr[data-proxy=params] td").nth(1).locator("a")
    tip = page.locator("#tip")
    for show in (link.hover, link.focus):
        show()
        shown = tip.inner_text()
        assert shown.startswith(f"params on {column.name}")
        assert f"{row.spearman_low:.2f}".replace("-", "−") in shown
        assert "30 architectures, 2 seeds" in shown and "undefined" in shown
        page.keyboard.press("Escape")
        assert not tip.is_visible()
        page.mouse.move(1, 1)
    link.press("Enter")
    assert page.locator("#column").input_value() == column.name
    assert page.locator("#across").input_value() == "params"
    assert chosen_in(page) == {"column": column.name, "pair": ["params"], "at": "explorer"}
    assert page.locator("#explorer").bounding_box()["y"] < 100, "goes there"


def test_a_link_shows_what_its_sender_saw(open_page, browser, page_file):
    """Every choice is in the address, and the address alone brings all of it back."""
    page = open_page()
    key = find_columns(page_file.parent.parent)[-1].scores.key[7]
    page.locator("#choice summary").click()
    for name in ("nb201/cifar10", "nb201/cifar100", "many/nb201/cifar10"):
        page.get_by_role("checkbox", name=name, exact=True).click()
    page.get_by_role("checkbox", name="nwot").click()
    page.locator("#column").select_option("many/nb201/cifar10")
    page.locator("#across").select_option("params")
    page.locator("#upwards").select_option("swap")
    page.locator("#axes").select_option("ranks")
    page.locator("#key").fill(key)
    page.locator("#theme select").select_option("dark")

    def shown(one):
        return {
            "columns": one.locator("#heat thead [data-column]:visible").all_inner_texts(),
            "rows": one.locator("#heat tbody tr:visible th").all_inner_texts(),
            "said": one.locator("#said").inner_text(),
            "axes": one.locator("#scatter text[transform]").text_content(),
            "key": one.locator("#architecture caption").inner_text(),
            "paper": one.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
        }

    mine = shown(page)
    assert "many/nb201/cifar10" in " ".join(mine["columns"])
    assert not any(name.startswith("nb201/cifar10") for name in mine["columns"]), "unticked"
    assert "nwot" not in mine["rows"] and "swap" in mine["rows"]
    assert mine["said"].startswith("params and swap on many/nb201/cifar10")
    assert mine["axes"] == "swap: rank of score"
    assert mine["key"].startswith(key)
    other = open_page(address=page.evaluate("location.hash"))
    assert shown(other) == mine
    assert other.evaluate("location.href") == page.evaluate("location.href")
    page.reload()
    assert shown(page) == mine


def test_an_address_typed_by_hand_is_read_as_far_as_it_can_be(open_page):
    address = (
        "#column=nb201/cifar10&pair=swap,nonsense&architecture=%&columns=,__proto__&x&theme=red"
    )
    page = open_page(address=address)
    assert page.locator("#across").input_value() == "swap"
    assert page.locator("#upwards").input_value() == ""
    said = page.locator("#notice").inner_text()
    for name in ("nonsense", "%", "__proto__"):
        assert name in said
    assert "swap" not in said
    page.locator("#axes").select_option("ranks")
    assert not page.locator("#notice").is_visible()
    page.evaluate("location.hash = '#column=nb201/cifar100'")
    page.wait_for_function("document.getElementById('column').value === 'nb201/cifar100'")


def test_addresses_are_read_as_they_are_written(open_page):
    page = open_page()
    state = {"pair": ["a,b&c=d", "50%"], "architecture": "|nor_conv_3x3~0|+|none~1|#x y", "at": "ö"}
    assert page.evaluate("state => readAddress(writeAddress(state))", state) == state
    for state_of_one in ({"at": "proxy-a=b"}, {"theme": "dark"}):
        back = page.evaluate("state => readAddress(writeAddress(state))", state_of_one)
        assert back == state_of_one
    assert "|nor_conv_3x3~0|+|none~1|" in page.evaluate("state => writeAddress(state)", state)


def test_ranks_and_correlations_are_scipys(open_page):
    page = open_page()
    random = np.random.default_rng(0)
    for n, values in ((2, 2), (5, 3), (60, 4), (200, 1000)):
        x, y = random.integers(0, values, (2, n)).astype(float)
        assert page.evaluate("averageRanks", x.tolist()) == scipy_stats.rankdata(x).tolist()
        found = page.evaluate("([x, y]) => spearman(x, y)", [x.tolist(), y.tolist()])
        constant = len(set(x)) == 1 or len(set(y)) == 1
        expected = np.nan if constant else scipy_stats.spearmanr(x, y).statistic
        assert found["n"] == n
        np.testing.assert_allclose(found["rho"], expected, atol=1e-12)
    assert np.isnan(page.evaluate("spearman([1, 1, 1], [1, 2, 3]).rho"))
    panel = {"values": [3, None, 1, None, 2], "status": {"1": "undefined", "3": "oom"}}
    for policy, n in (("worst", 4), ("drop", 3)):
        script = "([p, policy]) => spearman(rankedValues(p, policy), [2, 1, 3, 4, 5])"
        found = page.evaluate(script, [panel, policy])
        kept = [[3, -np.inf, 1, 2], [2, 1, 3, 5]] if n == 4 else [[3, 1, 2], [2, 3, 5]]
        assert found["n"] == n, "out of memory is no rank"
        assert found["rho"] == pytest.approx(scipy_stats.spearmanr(*kept).statistic)


def test_two_proxies_against_each_other(open_page, page_file):
    page = open_page(address="#column=nb201/cifar10&pair=swap,params")
    (column,) = (c for c in find_columns(page_file.parent.parent) if c.name == "nb201/cifar10")
    first = column.scores[column.scores.seed == 0].pivot(
        index="key", columns="proxy", values="value"
    )
    rho = scipy_stats.spearmanr(first["swap"].fillna(-np.inf), first["params"]).statistic
    said = page.locator("#said").inner_text()
    assert f"ρ = {rho:.3f} (n = 30)".replace("-", "−") in said
    assert said.count("95 % interval") == 2, "and each with the accuracy"
    assert page.locator("#scatter circle.dot").count() == 29
    assert page.locator("#scatter .cross").count() == 1, "one has no score"
    fills = page.locator("#scatter circle.dot").evaluate_all(
        "dots => new Set(dots.map((dot) => getComputedStyle(dot).fill)).size"
    )
    assert fills > 10, "coloured by accuracy"
    assert page.locator("#shades").is_visible()


def test_what_the_tests_of_the_leaderboard_say_of_a_pair(open_page):
    page = open_page()
    page.evaluate(
        "data.pairs.push({first: 'swap', second: 'params', difference: -0.25, p_holm: 0.031,"
        " better_in: 1, worse_in: 3, columns: 6})"
    )
    for pair in ("swap,params", "params,swap"):
        page.evaluate(f"location.hash = '#column=nb201/cifar10&pair={pair}'")
        page.wait_for_function(
            f"document.querySelector('#across').value === '{pair.split(',')[0]}'"
        )
        assert (
            "over 6 columns ρ of params is higher by 0.25 on average (Wilcoxon, Holm: p = 0.031), "
            "significantly higher in 3 of them and lower in 1."
        ) in page.locator("#said").inner_text()


def test_an_architecture_by_its_key_and_by_its_point(open_page, page_file):
    page = open_page(address="#column=nb201/cifar10&pair=params&at=explorer")
    (column,) = (c for c in find_columns(page_file.parent.parent) if c.name == "nb201/cifar10")
    scores = column.scores[column.scores.seed == 0]
    box = page.locator("#scatter circle.dot").nth(7).bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    assert re.match(
        r"\|cell_\d+.*\nparams: .*\naccuracy, percent: ", page.locator("#tip").inner_text()
    )
    page.mouse.click(*middle)
    key = chosen_in(page)["architecture"]
    assert (
        page.locator("#key").input_value()
        == key
        == page.locator("#tip").inner_text().split("\n")[0]
    )
    rows = page.locator("#architecture tbody tr")
    for name, own in [*scores.groupby("proxy"), (None, scores.drop_duplicates("key"))]:
        values = (own.truth if name is None else own.value.fillna(-np.inf)).to_numpy()
        at = list(own.key).index(key)
        (cells,) = (
            found
            for found in (row.split("\t") for row in rows.all_inner_texts())
            if found[0] == (name or "accuracy, percent")
        )
        rank = scipy_stats.rankdata(-values)[at]
        percentile = scipy_stats.percentileofscore(np.delete(values, at), values[at], "mean")
        assert cells[2] == f"{rank:g} of 30"
        below = (percentile * 29 / 100 + 0.5) / 30
        assert float(cells[3].removesuffix(" %")) == pytest.approx(100 * below, abs=0.051)
    assert rows.count() == 4, "the accuracy and three proxies"
    page.get_by_role("link", name="nb201/cifar100", exact=True).click()
    assert chosen_in(page)["column"] == "nb201/cifar100"
    assert page.locator("#architecture caption").inner_text().startswith(key), "there too"
    page.locator("#key").fill("cell_1")
    page.locator("#key").press("Enter")
    assert "11 architectures" in page.locator("#architecture").inner_text()
    page.locator("#key").fill("cell_12")
    page.locator("#key").press("Enter")
    assert chosen_in(page)["architecture"].startswith("|cell_12<")


def test_the_arrow_keys_walk_from_point_to_point(open_page):
    page = open_page(address="#column=nb201/cifar10&pair=params")
    page.locator("#scatter").focus()
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        seen.append(float(page.locator("#scatter .chosen").get_attribute("cx")))
    assert seen[0] <= seen[1] and seen[2] == seen[0]


def test_every_panel_draws(open_page):
    page = open_page()
    for name in page.locator("#column option").all_inner_texts():
        page.locator("#column").select_option(name)
        for proxy in page.locator("#across option").all_inner_texts():
            page.locator("#across").select_option(proxy)
            marks = page.locator("#scatter :is(.dot, .cross)")
            assert marks.count() == 30, (name, proxy)
            assert "NaN" not in page.locator("#scatter").inner_html()
    page.locator("#across").select_option("swap")
    assert "1 of them without a score" in page.locator("#said").inner_text()


def saved(page, click, tmp_path):
    with page.expect_download() as waiting:
        click()
    waiting.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_tables_and_points_can_be_had_as_files(open_page, page_file, tmp_path):
    page = open_page(
        address="#columns=nb201/cifar10,nb201/cifar100&proxies=swap&column=nb201/cifar10"
    )
    columns = {c.name: c for c in find_columns(page_file.parent.parent)}
    heat = saved(page, page.get_by_role("button", name="CSV of Spearman").click, tmp_path)
    assert [row[0] for row in heat] == ["proxy", "swap"], "as it is shown"
    expected = columns["nb201/cifar10"].summary.set_index("proxy").spearman_mean["swap"]
    assert float(heat[1][1]) == pytest.approx(expected, rel=1e-5)
    points = saved(page, page.locator("#points-csv").click, tmp_path)
    scores = columns["nb201/cifar10"].scores
    of = scores[(scores.seed == 0) & (scores.proxy == "params")].set_index("key")
    assert points[0][:2] == ["key", "accuracy, percent"] and "params" in points[0]
    assert len(points) == 31
    for row in points[1:]:
        found = float(row[points[0].index("params")])
        assert found == pytest.approx(of.value[row[0]], rel=1e-5)
    assert points[1][points[0].index("swap")] == "", "without a score"


def test_a_sentence_leads_to_its_chapter_and_opens_it(open_page):
    page = open_page(address="#column=nb201/cifar100")
    place = page.locator("#analysis-later")
    assert place.get_attribute("open") is None
    page.get_by_role("link", name="Is later so?").click()
    assert place.get_attribute("open") is not None
    assert 0 <= place.bounding_box()["y"] < DESKTOP["height"]
    assert chosen_in(page) == {"column": "nb201/cifar100", "at": "analysis-later"}


def luminance(colour):
    """Relative luminance of WCAG 2.1 of ``color(srgb r g b)`` or ``rgb(r, g, b)``."""
    numbers = [float(part) for part in re.findall(r"[\d.]+(?:e-?\d+)?", colour)][:3]
    unit = numbers if colour.startswith("color") else [part / 255 for part in numbers]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in unit]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


PAINT = """([selector, property]) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    return [...document.querySelectorAll(selector)].map((one) => {
        canvas.fillStyle = getComputedStyle(one)[property];
        canvas.fillRect(0, 0, 1, 1);
        return `rgb(${[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).join(", ")})`;
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_both_modes(open_page, scheme):
    page = open_page(address="#column=nb201/cifar10&pair=swap,params", color_scheme=scheme)
    page.evaluate(
        """(steps) => {
            const row = document.querySelector("#heat tbody tr");
            for (const sign of ["low", "high"])
                for (const few of ["", " few"])
                    for (let step = 0; step <= steps; step += 1) {
                        const cell = make("td", { className: `test ${sign} s${step}${few}` });
                        cell.append(make("a", { href: "#", textContent: "0.50" }));
                        row.append(cell);
                    }
        }""",
        STEPS,
    )

    def colours(selector, kind):
        return page.evaluate(PAINT, [selector, kind])

    (paper,) = colours("html", "backgroundColor")
    assert (luminance(paper) < 0.1) == (scheme == "dark")
    cells = list(zip(colours(".test", "backgroundColor"), colours(".test a", "color"), strict=True))
    assert len(cells) == 4 * (STEPS + 1)
    assert min(contrast(*pair) for pair in cells) >= 4.5
    assert len({colour for colour, _ in cells}) > 60, "shades differ"
    for selector in ("p", ".note", ".muted", "nav a", "#said", "label", "td.yes", "td.no"):
        assert min(contrast(one, paper) for one in colours(selector, "color")) >= 4.5, selector
    assert min(contrast(one, paper) for one in colours(".dot", "fill")) >= 3
    assert min(contrast(one, paper) for one in colours(".cross", "stroke")) >= 3


def test_the_switch_overrules_the_system(open_page):
    page = open_page(color_scheme="dark")
    page.locator("#theme select").select_option("light")
    assert chosen_in(page) == {"theme": "light"}
    assert luminance(page.evaluate(PAINT, ["html", "backgroundColor"])[0]) == 1
    page.locator("#theme select").select_option("")
    assert "#" not in page.evaluate("location.href")


def test_headings_stay_in_sight(open_page):
    page = open_page({"width": 800, "height": 300}, "#numbers")
    region = page.locator("#numbers .table")
    region.evaluate("region => region.scrollTo(0, 400)")
    heading = region.locator("th").first.bounding_box()
    assert heading["y"] == pytest.approx(region.bounding_box()["y"], abs=1)
    region = page.locator(".table", has=page.locator("#heat"))
    region.evaluate("region => region.scrollTo(300, 0)")
    row = page.locator("#heat tbody th").first.bounding_box()
    assert row["x"] == pytest.approx(region.bounding_box()["x"], abs=1)


def test_phone_width_does_not_scroll_sideways(open_page):
    page = open_page(PHONE, "#column=nb201/cifar10&pair=swap,params")
    page.locator("#scatter").focus()
    page.keyboard.press("ArrowRight")
    for details in page.locator("details").all():
        details.evaluate("part => (part.open = true)")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.locator("#heat").bounding_box()["width"] > PHONE["width"], "in its frame"
    assert page.locator("#scatter svg").bounding_box()["width"] <= PHONE["width"]


def test_prints_in_light_colours_without_controls(open_page, tmp_path):
    page = open_page(address="#theme=dark")
    pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3
    page.emulate_media(media="print")
    assert luminance(page.evaluate(PAINT, ["html", "backgroundColor"])[0]) == 1
    for control in ("nav", "#theme", ".choice", "#choice", "caption button"):
        assert not page.locator(control).first.is_visible(), control
    page.set_viewport_size({"width": 700, "height": 900})  # A4 within its margins
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") == 700


def test_the_page_as_opened_is_short(open_page):
    assert open_page().evaluate("document.documentElement.scrollHeight") < 6000


SCRIPT = "<img src=x onerror='window.planted=1'>"
TAG = "<script>window.planted=1<"  # a folder's name has no slash


def test_script_in_a_name_is_text(browser, tmp_path):
    """In every name that a result holds: nothing runs, nothing becomes part of the page."""
    proxies = (f"swap{SCRIPT}", f'"{TAG}', f"</script>{SCRIPT}")
    write_result(tmp_path, proxies=proxies)
    write_result(
        tmp_path, f"nb201{SCRIPT}", f"cifar10{TAG}", study=f"main{SCRIPT}", proxies=proxies
    )
    hostile = f"a,{SCRIPT},</script>{SCRIPT}\n1,{SCRIPT},'\"><b>\n"
    write_files(tmp_path / "paper", compare_csv=hostile, **{f"{SCRIPT}_csv": hostile})
    page = browser.new_page(viewport=DESKTOP)
    try:
        page.goto(write_report(tmp_path).as_uri())
        for column in page.locator("#column option").evaluate_all("all => all.map((o) => o.value)"):
            page.locator("#column").select_option(column)
            for proxy in page.locator("#across option").evaluate_all(
                "all => all.map((o) => o.value)"
            ):
                page.locator("#across").select_option(proxy)
                page.locator("#upwards").select_option(index=1)
                assert proxy in page.locator("#said").inner_text()
        page.locator("#scatter").focus()
        page.keyboard.press("ArrowRight")
        page.locator("#scatter circle.dot").nth(7).hover(force=True)
        assert page.locator("#tip").is_visible()
        page.locator("#choice summary").click()
        page.locator("#heat a[data-tip]").first.hover()
        # What a link may say is text too.
        page.evaluate("text => (location.hash = `#column=${encodeURIComponent(text)}`)", SCRIPT)
        page.wait_for_selector("#notice:not([hidden])")
        assert SCRIPT in page.locator("#notice").inner_text()
        assert page.evaluate("window.planted") is None
        assert page.locator("[onerror], img[src=x]").count() == 0
        # The second wall: even markup that got into the page could run nothing.
        page.evaluate(f"document.body.insertAdjacentHTML('beforeend', `{SCRIPT}`)")
        page.wait_for_timeout(300)
        assert page.evaluate("window.planted") is None
    finally:
        page.close()


def test_no_markup_is_made_of_text():
    templates = Path(page_module.__file__).parent / "templates"
    scripts = sorted(templates.glob("*.js"))
    assert {path.stem for path in scripts} == set(page_module.SCRIPTS)
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|setHTML|DOMParser"
    for script in scripts:
        assert not re.search(banned, script.read_text(encoding="utf-8")), script
    for template in templates.glob("*.html"):
        assert "|safe" not in template.read_text(encoding="utf-8")

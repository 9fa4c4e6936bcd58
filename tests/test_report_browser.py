"""The report in a real browser: no errors, no network, and everything answers the pointer."""

import os
import re
import shutil
from pathlib import Path

import pytest
from test_report import write_analyses, write_files, write_report, write_result

from harness.report import page as page_module
from harness.report.columns import find_columns

playwright = pytest.importorskip("playwright.sync_api")
# Where the variable is set, a browser that does not start is a failure and no reason to skip.
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("HARNESS_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
# Without the last ones it calls home at every start.
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}


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
    head = "artefact,what,paper,ours,difference,verdict,why"
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
    """Opens the page at a width; afterwards nothing may have complained or left the machine."""
    problems, requests, opened = [], [], []

    def open_at(viewport):
        page = browser.new_page(viewport=viewport)
        opened.append(page)
        page.on(
            "console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else 0
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(page_file.as_uri())
        page.wait_for_selector("#scatter .points path")
        return page

    yield open_at
    for page in opened:
        page.close()
    assert problems == []
    assert any(url.endswith("plotly.min.js") for url in requests)
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def column_of(page, caption, index):
    rows = page.locator("table", has=page.locator("caption", has_text=caption)).locator("tbody tr")
    return rows.locator(f"td:nth-child({index})").all_inner_texts()


def test_tables_sort_by_value_in_both_directions(open_page):
    page = open_page(DESKTOP)
    caption = "Every proxy on every column"
    headings = page.locator("table", has=page.locator("caption", has_text=caption)).locator("th")
    rho, interval = headings.nth(2), headings.nth(3)

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
    interval.locator("button").click()
    assert rho.get_attribute("aria-sort") is None
    assert numbers(4) == sorted(numbers(4), reverse=True)
    headings.nth(1).locator("button").press("Enter")
    names = column_of(page, caption, 2)
    assert names == sorted(names), "headings answer the keyboard"


def test_the_comparison_sorts_and_filters(open_page):
    page = open_page(DESKTOP)
    page.get_by_role("button", name="artefact").click()
    assert column_of(page, "The paper’s numbers and ours", 1)[:3] == [
        "table1",
        "table2",
        "table3",
    ], "2 before 10"
    box = page.locator("#paper").locator("xpath=..").get_by_role("searchbox")
    box.fill("agrees table17")
    shown = page.locator("#paper").locator("xpath=..").locator(".tall tbody tr:visible")
    assert [row.split("\t")[0] for row in shown.all_inner_texts()] == ["table17"]
    box.fill("")
    assert shown.count() == 19


def test_the_heat_map_explains_a_cell_and_leads_to_its_architectures(open_page, page_file):
    page = open_page(DESKTOP)
    plot = page.locator(".heatmap").first
    plot.scroll_into_view_if_needed()
    # A cell's middle, from the figure's own axes.
    x, y = page.evaluate(
        """() => {
            const plot = document.querySelector(".heatmap"), box = plot.getBoundingClientRect();
            const { xaxis, yaxis } = plot._fullLayout;
            return [box.x + xaxis._offset + xaxis.c2p(1), box.y + yaxis._offset + yaxis.c2p(0)];
        }"""
    )
    page.mouse.move(x, y)
    label = page.locator(".heatmap .hoverlayer text").first
    label.wait_for()
    shown = label.text_content()
    column = find_columns(page_file.parent.parent)[1]
    proxy = re.match(r"\w+(?= on )", shown)[0]
    row = column.summary.set_index("proxy").loc[proxy]
    assert column.name in shown
    assert f"{row.spearman_low:.2f}".replace("-", "−") in shown
    assert "30 architectures, 2 seeds" in shown and "undefined" in shown
    page.mouse.click(x, y)
    assert page.locator("#column").input_value() == column.label
    assert page.locator("#proxy").input_value() == proxy


def test_a_point_shows_its_architecture_and_every_panel_draws(open_page):
    page = open_page(DESKTOP)
    page.locator("#scatter").scroll_into_view_if_needed()
    page.locator("#proxy").select_option("params")
    assert "params" in page.locator("#points-title").inner_text()
    box = page.locator("#scatter .scatterlayer .points path").nth(7).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    label = page.locator("#scatter .hoverlayer text").first
    label.wait_for()
    assert re.search(r"\|cell_\d+.*~0\|\+\|.*score.*accuracy", label.text_content())
    for name in page.locator("#column option").all_inner_texts():
        page.locator("#column").select_option(name)
        for proxy in page.locator("#proxy option").all_inner_texts():
            page.locator("#proxy").select_option(proxy)
            drawn = page.locator("#scatter .scatterlayer .points path").count()
            assert drawn == 30, (name, proxy)
    page.locator("#proxy").select_option("swap")
    assert "1 of them without a score" in page.locator("#points-title").inner_text()


def test_a_sentence_leads_to_its_chapter(open_page):
    page = open_page(DESKTOP)
    page.get_by_role("link", name="Is later so?").click()
    page.wait_for_timeout(800)  # it scrolls smoothly
    box = page.get_by_role("heading", name="Is later so?").bounding_box()
    assert 0 <= box["y"] < DESKTOP["height"]


def test_phone_width_does_not_scroll_sideways(open_page):
    page = open_page(PHONE)
    for details in page.locator("details").all():
        details.evaluate("part => (part.open = true)")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.locator(".heatmap").first.bounding_box()["width"] > PHONE["width"], "in its frame"
    assert page.locator("#scatter").bounding_box()["width"] <= PHONE["width"]


def test_prints(open_page, tmp_path):
    page = open_page(DESKTOP)
    pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(300)
    widths = page.evaluate(
        "[...document.querySelectorAll('.plot')].map((p) => p._fullLayout.width)"
    )
    assert max(widths) <= 680, "fits on A4"
    assert page.locator("details.printed[open]").count() == 1
    assert not page.locator("nav").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.printed[open]").count() == 0


def test_says_what_is_missing_without_its_library(browser, page_file, tmp_path):
    alone = shutil.copy(page_file, tmp_path)
    page = browser.new_page()
    page.goto(Path(alone).as_uri())
    assert "needs plotly.min.js" in page.locator(".missing").first.inner_text()
    page.get_by_role("button", name="best proxy").click()
    page.close()


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
        page.wait_for_selector("#scatter .points path")
        for column in page.locator("#column option").all_inner_texts():
            page.locator("#column").select_option(column)
            for proxy in page.locator("#proxy option").all_inner_texts():
                page.locator("#proxy").select_option(proxy)
                assert proxy in page.locator("#points-title").inner_text()
        point = page.locator("#scatter .scatterlayer .points path").nth(7)
        point.scroll_into_view_if_needed()
        point.hover(force=True)
        page.locator(".heatmap").first.hover()
        page.wait_for_timeout(300)
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
    source = (templates / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source)
    for template in templates.glob("*.html"):
        assert "|safe" not in template.read_text(encoding="utf-8")

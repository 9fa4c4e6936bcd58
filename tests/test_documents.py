"""What people read runs: doctests, and pages that are made from the code."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import api
from harness.report.documents import PAGES

ROOT = Path(__file__).parent.parent


def test_doctests():
    assert doctest.testmod(api).attempted > 0
    assert doctest.testmod(api).failed == 0


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path):
    pytest.importorskip("mkdocs")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    pages = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.html")}
    assert {"index.html", "api/index.html", "results/scores/index.html"} <= set(pages)
    assert not list(tmp_path.rglob("hooks.py"))
    del pages["404.html"]  # may stand anywhere, so its links begin at the top
    for page in pages.values():
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=\"([^\"]+)", text)
        for address in loaded:
            assert not address.startswith(("http:", "https:", "//")), address
        for address in re.findall(r"<(?:a|img)[^>]*(?:src|href)=\"([^\"#]+)", text):
            assert "://" in address or (page.parent / address).resolve().exists(), (page, address)
    api_page = pages["api/index.html"].read_text(encoding="utf-8")
    assert all(f"harness.api.{name}" in api_page for name in ("score", "evaluate", "batch"))


PROSE = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "data/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target

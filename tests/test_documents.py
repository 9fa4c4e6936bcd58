"""What people read runs: doctests, and pages that are made from the code."""

import doctest
import re
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


PROSE = [ROOT / "README.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target

"""What people read runs: doctests, and pages that are made from the code."""

import doctest
from pathlib import Path

import pytest

from harness import api
from harness.report.documents import PAGES

ROOT = Path(__file__).parent.parent


def test_doctests():
    assert doctest.testmod(api).attempted > 0
    assert doctest.testmod(api).failed == 0


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name):
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert page == PAGES[name](), "run `make docs`"

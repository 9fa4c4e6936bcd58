"""What people read runs: doctests, notebooks, and pages that are made from the code."""

import doctest
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import api
from harness.jobs.document import proxy_pages, truth_page

ROOT = Path(__file__).parent.parent


def test_doctests():
    assert doctest.testmod(api).attempted > 0
    assert doctest.testmod(api).failed == 0


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebook(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code), "outputs are stripped"
    script = "\n".join("".join(cell["source"]) for cell in code)
    # A process of its own: the notebook registers a proxy.
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    if path.stem == "tour":
        assert "nwot" in done.stdout


@pytest.mark.parametrize(("name", "make"), [("proxies", proxy_pages), ("truth", truth_page)])
def test_generated_pages_are_up_to_date(name, make):
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert page == make(), "run `make docs`"

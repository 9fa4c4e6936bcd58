"""The notebooks run as a reader runs them, and show what is committed."""

import json
import math
import re

import pytest

pytest.importorskip("ipykernel")
nbformat = pytest.importorskip("nbformat")
execute_notebooks = pytest.importorskip("execute_notebooks")

NOTEBOOKS = execute_notebooks.NOTEBOOKS
BARE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
NUMBER = re.compile(r"[-−]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")
TOLERANCE = 0.02  # other processors round otherwise, and ranks may change

paths = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def shown(notebook):
    """Returns the texts of the cells' outputs, spaces evened out, and the number of pictures."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.get("name") == "stderr"], outputs
    texts = [out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in outputs]
    return [" ".join(text.split()) for text in texts], sum(
        "image/png" in out.get("data", {}) for out in outputs
    )


def numbers(text):
    return [float(one.replace("−", "-").replace(",", "")) for one in NUMBER.findall(text)]


@paths
def test_committed_with_what_it_shows_and_nothing_of_a_machine(path):
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert raw["metadata"] == BARE
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    counts = [cell["execution_count"] for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run from top to bottom; make notebooks"
    assert all(cell["metadata"] == {} for cell in notebook.cells)
    texts, _ = shown(notebook)
    assert any(texts)
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|usr)/", "\n".join(texts))


@pytest.mark.slow
@paths
def test_shows_again_what_is_committed(path):
    committed, pictures = shown(nbformat.read(path, as_version=4))
    again, drawn = shown(execute_notebooks.execute(path))
    assert drawn == pictures
    assert len(again) == len(committed)
    for now, then in zip(again, committed, strict=True):
        assert NUMBER.sub("", now) == NUMBER.sub("", then)
        assert all(
            math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            for a, b in zip(numbers(now), numbers(then), strict=True)
        ), (now, then)

"""The notebooks run as a reader runs them, and are committed without what a run leaves."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BARE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_without_outputs_or_noise(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"] == BARE
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}, cell["id"]
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None, cell["id"]


def run(name):
    """Runs a notebook in its own folder and kernel; returns what its cells show, as one text."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    # The harness of this checkout, also where it is not installed.
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    }
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(env=environment)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.get("name") == "stderr"], outputs
    return notebook, "".join(
        out.get("text", "") + "".join(map(str, out.get("data", {}).values())) for out in outputs
    )


def pictures(notebook):
    return [
        out["data"]["image/png"]
        for cell in notebook.cells
        for out in cell.get("outputs", [])
        if "image/png" in out.get("data", {})
    ]


def test_tour():
    _, shown = run("tour")
    assert "nwot" in shown and "spearman" in shown
    # The reader's own proxy is scored beside the harness's own.
    assert "'largest_gradient': Score(value=" in shown and "'grad_norm': Score(value=" in shown


def test_paper():
    notebook, shown = run("paper")
    assert len(pictures(notebook)) == 3, "heat map, scatter, sweep"
    assert all(len(picture) > 10_000 for picture in pictures(notebook))
    assert "reg_swap" in shown and "spearman_low" in shown

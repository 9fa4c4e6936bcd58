"""Runs the notebooks as a reader does; as a script it keeps what their cells show."""

import os
import re
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def execute(path: Path) -> nbformat.NotebookNode:
    """Returns the notebook with its outputs, run in its own folder and kernel."""
    notebook = nbformat.read(path, as_version=4)
    # The harness of this checkout, also where it is not installed.
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env=os.environ | {"PYTHONPATH": paths})
    notebook.metadata.language_info = {"name": "python"}  # not which Python it was
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if not _progress(out)]
    return notebook


def _progress(output: nbformat.NotebookNode) -> bool:
    """Tells whether these are lines like ``nb201 cifar100: 60 of 60, 2.5/s``."""
    lines = output.text.splitlines() if output.get("name") == "stderr" else ["something else"]
    return all(re.search(r": \d+ of \d+", line) for line in lines)


if __name__ == "__main__":
    for path in NOTEBOOKS:
        nbformat.write(execute(path), path)

"""docs/own_space.md is run as a reader would: its file, its accuracies, its commands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "own_space.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    search = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": search, "HARNESS_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files in a folder, and its entry points as pip leaves them."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "conv_stacks.py").write_text(blocks("python")[0])
    (folder / "mine.csv").write_text(blocks("csv")[0])
    metadata = folder / "conv_stacks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: conv-stacks\nVersion: 1.0\n")
    groups = re.sub(r'\[project\.entry-points\."(.+)"\]', r"[\1]", blocks("toml")[0])
    (metadata / "entry_points.txt").write_text(groups.replace('"', ""))
    return folder


def test_the_commands_correlate_the_space_with_the_accuracies(package: Path) -> None:
    commands = [line.split() for line in blocks("console")[1].splitlines()]
    assert [command[:3] for command in commands] == [["python", "-m", "harness"]] * 2
    small = ["seed=0", "batch_size=8", "swap.images=8", "executor=local"]
    for command, results in zip(commands, ("record", "csv"), strict=True):
        asked = [word for word in command[1:] if not word.startswith(("seed=", "proxies="))]
        run = python(package, *asked, "proxies=[swap,params]", *small, f"results={results}")
        assert run.returncode == 0, run.stderr
    tables = [
        pd.read_csv(package / results / "conv_stacks/digits/correlations.csv").set_index("proxy")
        for results in ("record", "csv")
    ]
    assert list(tables[0].n) == [16, 16]
    # The record reads the same file, so both say the same; more parameters, more accuracy.
    assert tables[0].spearman.to_dict() == pytest.approx(tables[1].spearman.to_dict())
    assert 0.3 < tables[0].spearman["params"] < 1


def test_the_python_example_scores_and_counts_are_exact(package: Path) -> None:
    count = """
from harness.spaces import spaces
space = spaces.get("conv_stacks")
assert len(space.keys()) == len(set(map(space.canonical, space.keys()))) == 117
for key in space.keys():
    network = space.build(key, "digits")
    assert sum(p.numel() for p in network.parameters()) == space.count_params(key, "digits"), key
assert len(scores) == 16 and len(set(scores.values())) > 8, scores
"""
    run = python(package, "-c", blocks("python")[1] + count)
    assert run.returncode == 0, run.stderr


def test_the_messages_are_those_of_the_page(package: Path) -> None:
    shown = blocks("text")[0].splitlines()
    files = {
        "a.csv": "key,accuracy\n16-8,70\n",
        "b.csv": "key,value\n16-8,70\n16-9,71\n",
        "c.csv": "key,value\n16-8,70\n 16-8,71\n",
        "d.csv": "key,value\n16-8,high\n",
    }
    for name, content in files.items():
        (package / name).write_text(content)
    ask = """
from harness import api
from harness.errors import HarnessError
for path in (None, "missing.csv", "a.csv", "b.csv", "c.csv", "d.csv"):
    try:
        api.truth.load("conv_stacks", "digits", "csv", path=path)
    except HarnessError as error:
        print(error)
"""
    run = python(package, "-c", ask)
    assert run.stdout.splitlines() == shown, run.stderr

"""docs/own_space.md is run as a reader would: its files, its accuracies, its commands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "own_space.md").read_text(encoding="utf-8")
MODULES = ("conv_stacks.py", "stripes.py", "conv_stacks_truth.py")
SMALL = ("seed=0", "batch_size=16", "executor=local", "proxies=[swap,params]")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "HARNESS_DATA": str(folder / "data"),
        "HARNESS_MIRROR": str(folder / "mirror"),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, its entry points as pip leaves them, and its accuracies in a mirror."""
    folder = tmp_path_factory.mktemp("package")
    for name, content in zip(MODULES, blocks("python"), strict=False):
        assert f"`{name}`" in PAGE
        (folder / name).write_text(content)
    mirrored = folder / "mirror" / "example.org" / "conv_stacks" / "accuracies.csv"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_text(blocks("csv")[0])
    metadata = folder / "conv_stacks-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: conv-stacks\nVersion: 1.0\n")
    groups = re.sub(r'\[project\.entry-points\."(.+)"\]', r"[\1]", blocks("toml")[0])
    (metadata / "entry_points.txt").write_text(groups.replace('"', ""))
    return folder


def test_the_example_scores_and_counts_are_exact(package: Path) -> None:
    check = """
for key in space.keys():
    network = space.build(key, "stripes")
    assert sum(p.numel() for p in network.parameters()) == space.count_params(key, "stripes"), key
assert len(space.keys()) == len(set(map(space.canonical, space.keys()))) == 117
assert len(scores) == 16 and len(set(scores.values())) > 8, scores
assert table.attrs["licence"] == "CC-BY-4.0"
"""
    run = python(package, "-c", blocks("python")[len(MODULES)] + check)
    assert run.returncode == 0, run.stderr


def test_the_commands_correlate_the_space_with_the_accuracies(package: Path) -> None:
    values = pd.read_csv(package / "mirror/example.org/conv_stacks/accuracies.csv", comment="#")
    values = values.set_index("key").mean(axis="columns").rename("value")
    values.to_csv(package / "mine.csv")
    tables = []
    for command, study in zip(blocks("console")[1:], ("main", "mine"), strict=True):
        asked = [word for word in command.split()[1:] if not word.startswith(("seed=", "proxies="))]
        run = python(package, *asked, *SMALL)
        assert run.returncode == 0, run.stderr
        result = package / "results" / study / "conv_stacks" / "stripes" / "correlations.csv"
        tables.append(pd.read_csv(result).set_index("proxy"))
    assert list(tables[0].n) == [16, 16]
    # Both are the same accuracies; more parameters, more accuracy.
    assert tables[0].spearman.to_dict() == pytest.approx(tables[1].spearman.to_dict())
    assert 0.3 < tables[0].spearman["params"] < 1


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
from harness.core.errors import HarnessError
for path in (None, "missing.csv", "a.csv", "b.csv", "c.csv", "d.csv"):
    try:
        api.truth.load("conv_stacks", "stripes", "csv", path=path)
    except HarnessError as error:
        print(error)
"""
    run = python(package, "-c", ask)
    assert run.stdout.splitlines() == shown, run.stderr

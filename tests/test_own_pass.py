"""docs/own_pass.md is run as a reader would: its file, its entry point, its command."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from commands import ROOT

PAGE = (ROOT / "docs" / "own_pass.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The page's file, and its entry points as pip leaves them."""
    (tmp_path / "logit_spread.py").write_text(block("python"))
    metadata = tmp_path / "logit_spread-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: logit-spread\nVersion: 1.0\n")
    groups = re.sub(r'\[project\.entry-points\."(.+)"\]', r"[\1]", block("toml"))
    (metadata / "entry_points.txt").write_text(groups.replace('"', ""))
    return tmp_path


def test_the_file_is_a_pass_and_a_proxy_like_ours(package: Path) -> None:
    words = block("console").split()[1:]
    small = {"n": "4", "batch_size": "8", "executor": "local", "vkdnw.parameters": "8"}
    words = [word for word in words if word.split("=")[0] not in small]
    run = subprocess.run(
        [sys.executable, *words, *(f"{key}={value}" for key, value in small.items())],
        cwd=package,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    scores = pd.read_parquet(package / "results/main/nb201/digits/scores.parquet")
    values = scores[scores.proxy == "logit_spread"].set_index("status").value
    assert len(values) == 4
    assert all(1 <= value <= 24 for value in values.get("ok", pd.Series([math.nan])))

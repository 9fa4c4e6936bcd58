"""SWAP's correlation under several conditions, read back from finished results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call
from stored import store


def result(root: Path, name: str, images: int, noise: float, source: str = "digits_train") -> None:
    """Stores a result whose swap scores are the accuracy with noise."""
    random = np.random.default_rng(images)
    truth = random.normal(size=80)
    table = pd.DataFrame(
        {
            "space": "nb201",
            "task": "digits",
            "key": [f"a{i}" for i in range(80)],
            "proxy": "swap",
            "seed": 0,
            "value": truth + noise * random.normal(size=80),
            "status": "ok",
            "truth": truth,
        }
    )
    both = pd.concat([table, table.assign(proxy="params")], ignore_index=True)
    swap = {"images": images, "repeats": 1, "init": "default"}
    study = f"sensitivity/{name}"
    store(root, both, study=study, inputs={"source": source}, settings={"swap": swap})


def test_settings_are_read_from_the_records(tmp_path: Path) -> None:
    result(tmp_path, "few", 4, noise=3.0)
    result(tmp_path, "many", 16, noise=0.1)
    result(tmp_path, "noise", 8, noise=1.0, source="gaussian")
    assert call(tmp_path, "job=analysis", "analysis=sensitivity", "results=.") == 0
    folder = tmp_path / "analysis"
    table = pd.read_csv(folder / "sensitivity.csv")
    assert set(table.proxy) == {"swap"}
    assert list(table.images) == [4, 16, 8]  # digits first, then gaussian
    assert table.set_index("images").spearman_mean[16] > 0.95
    assert table.set_index("images").spearman_mean[4] < 0.7
    assert (table.spearman_low <= table.spearman_mean).all()
    assert (folder / "sensitivity.png").stat().st_size > 0


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "job=analysis", "analysis=sensitivity", "results=.") == 1
    assert "make sensitivity-scores" in capsys.readouterr().err

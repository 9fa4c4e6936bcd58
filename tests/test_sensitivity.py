"""SWAP's correlation under several protocols, read back from finished results."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call


def result(folder: Path, images: int, noise: float, source: str = "digits_train") -> None:
    """Writes a result whose swap scores are the accuracy with noise."""
    place = folder / "nb201" / "digits"
    place.mkdir(parents=True)
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
    pd.concat([table, table.assign(proxy="params")]).to_parquet(place / "scores.parquet")
    swap = {"images": images, "repeats": 1, "init": "default"}
    record = {"resolved": {"settings": {"swap": swap}}, "inputs": {"source": source}}
    (place / "run.json").write_text(json.dumps(record))


def test_settings_are_read_from_the_records(tmp_path: Path) -> None:
    result(tmp_path / "sensitivity" / "few", 4, noise=3.0)
    result(tmp_path / "sensitivity" / "many", 16, noise=0.1)
    result(tmp_path / "sensitivity" / "noise", 8, noise=1.0, source="gaussian")
    assert call(tmp_path, "job=sensitivity", "results=.") == 0
    table = pd.read_csv(tmp_path / "analysis" / "sensitivity.csv")
    assert set(table.proxy) == {"swap"}
    assert list(table.images) == [4, 16, 8]  # digits first, then gaussian
    assert table.set_index("images").spearman_mean[16] > 0.95
    assert table.set_index("images").spearman_mean[4] < 0.7
    assert (table.spearman_low <= table.spearman_mean).all()
    for suffix in ("md", "tex", "png", "svg"):
        assert (tmp_path / "analysis" / f"sensitivity.{suffix}").stat().st_size > 0


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(tmp_path, "job=sensitivity", "results=.") == 1
    assert "make sensitivity-scores" in capsys.readouterr().err

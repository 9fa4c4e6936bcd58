"""Agreement between our scores and published ones."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import call

from harness import stats

RESULTS = Path(__file__).parent.parent / "results"


def test_agreement_by_hand():
    joined = pd.DataFrame(
        {
            "key": list("abcd") * 2,
            "proxy": ["snip"] * 4 + ["nwot"] * 4,
            "seed": 0,
            "value": [1.0, 2, 3, np.nan, 4, 3, 2, 1],
            "status": ["ok"] * 3 + ["undefined"] + ["ok"] * 4,
            "truth": [10.0, 20, 15, 5] * 2,
        }
    )
    published = pd.DataFrame(
        {"key": list("abcdz"), "proxy": "snip", "value": [2.0, 4, np.nan, 1, 7]}
    )
    table = stats.agreement(joined, published)
    (row,) = table.to_dict("records")
    assert row["proxy"] == "snip"
    assert row["n"] == 2
    assert row["rho_published"] == pytest.approx(1)
    assert row["accuracy_ours"] == row["accuracy_published"] == pytest.approx(1)
    assert row["median_ratio"] == 0.5
    assert row["max_difference"] == 2


def test_nothing_in_common():
    joined = pd.DataFrame(
        {"key": ["a"], "proxy": ["snip"], "seed": [0], "value": [1.0], "status": ["ok"]}
    ).assign(truth=1.0)
    published = pd.DataFrame({"key": ["b"], "proxy": ["snip"], "value": [1.0]})
    assert stats.agreement(joined, published).empty


@pytest.mark.mirror
def test_the_committed_table_comes_from_the_committed_scores(tmp_path):
    place = "nb201/cifar10"
    shutil.copytree(RESULTS / "main" / place, tmp_path / "main" / place)
    assert call(tmp_path, "job=agreement", "space=nb201", "task=cifar10", "results=.") == 0
    made, kept = (root / "agreement" / place / "agreement.csv" for root in (tmp_path, RESULTS))
    pd.testing.assert_frame_equal(pd.read_csv(made), pd.read_csv(kept), rtol=1e-12)

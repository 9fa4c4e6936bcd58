"""Agreement between our scores and published ones."""

import numpy as np
import pandas as pd
import pytest

from harness import stats


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

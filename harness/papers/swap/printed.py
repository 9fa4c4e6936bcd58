"""The numbers that the papers print, from TOML files beside this one."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

BLOCKS = ("mu = sigma", "sigma varies", "mu varies")
GROUPS = 5


@cache
def published() -> dict[str, Any]:
    """Returns what the SWAP paper and NAS-Bench-Suite-Zero print."""
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return tomllib.load(file)


def ablation(table: str) -> pd.DataFrame:
    """Returns one of the tables 4 to 6.

    Args:
        table: ``table4``, ``table5`` or ``table6``.

    Returns:
        One row per printed row: ``block``, ``mu``, ``sigma`` (NaN without regularisation) and
        ``group1`` to ``group5``, Spearman correlations.
    """
    printed = published()[table]
    rows = [["none", None, None, *printed["without"]]]
    rows += [[block, *row] for block in BLOCKS for row in printed[block]]
    names = ["block", "mu", "sigma", *(f"group{i}" for i in range(1, GROUPS + 1))]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[1:], float))


def table3() -> pd.DataFrame:
    """Returns Table 3: ``side``, ``proxy``, ``mean``, ``sd``, ``spearman``."""
    printed = published()["table3"]
    return pd.DataFrame(
        [
            {"side": side, "proxy": proxy, "mean": mean, "sd": sd, "spearman": rho}
            for proxy in ("activation_patterns", "swap", "reg_swap")
            for side, (mean, sd, rho) in zip(printed["sides"], printed[proxy], strict=True)
        ]
    )


def suite_zero() -> pd.DataFrame:
    """Returns NAS-Bench-Suite-Zero's heat map: a row per proxy, a column per ``space/task``."""
    printed = published()["suite_zero"]
    return pd.DataFrame.from_dict(printed["rows"], orient="index", columns=printed["columns"])

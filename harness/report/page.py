"""Puts the page together: what is found becomes tables and points, a template the HTML."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.proxies.contract import populations, proxies
from harness.report import origins
from harness.report.board import read_board
from harness.report.columns import Column
from harness.report.definitions import definitions
from harness.report.heat_map import STEPS, explorer, heat_map, proxy_order
from harness.report.other_results import Folder, link, read_chapters, read_folder
from harness.report.page_tables import Cell, Table, arranged, table
from harness.report.points import points
from harness.results.finished import FEW
from harness.results.layout import SCORES

SCRIPTS = (
    "address",
    "ranks",
    "tables",
    "tip",
    "heat_map",
    "scatter",
    "architecture",
    "explorer",
    "page",
)
# What a reader of the comparison looks for; intervals are in its file.
VERDICT = (
    *("source", "artefact", "column", "quantity"),
    *("paper", "ours", "difference", "verdict", "why"),
)
LOW, HIGH = "95 % from", "to"


@dataclass(frozen=True)
class Origin:
    """What made the page: the version of the harness and its commit, if it is known."""

    version: str
    commit: str | None


def render(found: Sequence[Column], results: Path, folder: Path, origin: Origin) -> str:
    """Returns the HTML; the same results always give the same text.

    Args:
        found: The results, those of the main study first.
        results: Folder of all results, whose ``paper`` and ``analysis`` are shown too.
        folder: Where the page will lie; links start there.
        origin: Named at the foot of the page.
    """
    columns = [column for column in found if column.in_main] or list(found)
    paper = read_folder(results / "paper", folder)
    board, pairs = read_board(results / "analysis", folder)
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    style = environment.get_template("style.css").render(steps=STEPS)
    templates = files("harness.report") / "templates"
    script = "\n".join((templates / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return environment.get_template("page.html").render(
        policy=content_policy(script, style),
        script=Markup(script),
        style=Markup(style),
        steps=STEPS,
        columns=found,
        main=columns,
        heat=heat_map(found),
        few=FEW,
        board=board,
        leaders=leaders(columns),
        correlations=correlations(found),
        data=points(found)
        | {
            "main": [column.name for column in columns],
            "start": max(columns, key=lambda column: len(column.scores)).name,
            "files": {one.name: link(one.folder / SCORES, folder) for one in found},
            "pairs": pairs,
        },
        compare=_captioned(paper, "compare", "The paper’s numbers and ours"),
        compared=paper.tables.get("compare_summary"),
        paper=_without(paper, "compare", "compare_summary"),
        chapters=read_chapters(results / "analysis", folder),
        overview=origins.overview(found, folder),
        absent=origins.absent(found),
        definitions=definitions([*proxies.names(), *populations.names(), *proxy_order(found)]),
        origin=origin,
    )


def content_policy(script: str, style: str) -> str:
    """Returns what a browser may do with the page: run its script, take its style, show pictures.

    A name that got past all escaping could still run nothing and send nothing.

    Args:
        script: The page's own, known by its digest.
        style: The same of its style sheet.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digest(script)}",
            f"style-src {_digest(style)}",
            "img-src 'self' file: data:",  # a file's own folder is file: to some
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def leaders(columns: Sequence[Column]) -> Table:
    """One row per column: the best proxy, and what counting parameters alone reaches."""
    rows = []
    for column in columns:
        ranked = column.summary.sort_values("spearman_mean", ascending=False, kind="stable")
        best, size = ranked.iloc[0], ranked[ranked["proxy"] == "params"]
        name = str(best["proxy"])
        rows.append(
            {
                "column": column.label,
                "best proxy": Cell(name, name, "text", explorer(column.name, name)),
                "ρ": best["spearman_mean"],
                LOW: best["spearman_low"],
                HIGH: best["spearman_high"],
                "ρ of params": size["spearman_mean"].iloc[0] if len(size) else float("nan"),
                "n": column.n,
                "seeds": column.seeds,
            }
        )
    names = {"n": "architectures per seed"}
    return table(pd.DataFrame(rows), "Best proxy of every column", names=names, limit=None)


def correlations(columns: Sequence[Column]) -> Table:
    """Every proxy on every column, with the time that a score takes."""
    rows = [
        {
            "column": column.label,
            "proxy": row["proxy"],
            "ρ": row["spearman_mean"],
            LOW: row["spearman_low"],
            HIGH: row["spearman_high"],
            "between seeds": row["spearman_std"],
            "τ": row["kendall_mean"],
            "n": row["n"],
            "seeds": row["seeds"],
            "undefined": row.get("n_undefined", 0),
            "failed": row.get("n_failed", 0),
            "at ceiling": row.get("at_ceiling", float("nan")),
            "seconds": seconds[row["proxy"]],
        }
        for column in columns
        for seconds in [column.scores.groupby("proxy")["seconds"].mean()]
        for row in column.summary.to_dict("records")
    ]
    return table(pd.DataFrame(rows), "Every proxy on every column", limit=None)


def _captioned(folder: Folder, name: str, caption: str) -> Table | None:
    found = folder.tables.get(name)
    return found and arranged(replace(found, caption=caption), VERDICT)


def _without(folder: Folder, *names: str) -> Folder:
    """Leaves out tables that have a place of their own."""
    return replace(folder, tables={k: v for k, v in folder.tables.items() if k not in names})

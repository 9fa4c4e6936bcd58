"""Puts the page together: what is found becomes figures and tables, a template the HTML."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.core.printing import printed
from harness.proxies.contract import populations, proxies
from harness.report import origins
from harness.report.columns import Column
from harness.report.definitions import definitions
from harness.report.interactive_heatmap import heatmap, proxy_order
from harness.report.other_results import Folder, link, read_chapters, read_folder
from harness.report.page_tables import Cell, Table, arranged, table
from harness.report.points import points, scatter
from harness.results.finished import FEW

PLOTLY = "plotly.min.js"
# What a reader of the comparison looks for; intervals come after it.
VERDICT = ("artefact", "column", "quantity", "paper", "ours", "difference", "verdict", "why")


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
    further = found[len(columns) :]
    paper = read_folder(results / "paper", folder)
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    script = _script(environment)
    return environment.get_template("page.html").render(
        policy=content_policy(script),
        script=Markup(script),
        columns=columns,
        further=further,
        heatmaps=[_json(heatmap(part)) for part in (columns, further) if part],
        few=FEW,
        leaders=leaders(columns),
        correlations=correlations(found),
        points={column.label: points(column) for column in found},
        scatter=_json(scatter()),
        compare=_captioned(paper, "compare", "The paper’s numbers and ours"),
        compared=_captioned(paper, "compare_summary", "How many agree"),
        paper=_without(paper, "compare", "compare_summary"),
        chapters=read_chapters(results / "analysis", folder),
        overview=origins.overview(found),
        records=[(r.label, link(r.folder / "run.json", folder), origins.record(r)) for r in found],
        absent=origins.absent(found),
        definitions=definitions([*proxies.names(), *populations.names(), *proxy_order(found)]),
        origin=origin,
        plotly=PLOTLY,
    )


def _script(environment: Environment) -> str:
    loader = environment.loader
    assert loader is not None
    return loader.get_source(environment, "page.js")[0]


def content_policy(script: str) -> str:
    """Returns what a browser may do with the page: run its one script and Plotly, show pictures.

    A name that got past all escaping could still run nothing and send nothing.

    Args:
        script: The page's own, known by its digest.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' file: 'sha256-{digest}'",  # a file's own folder is file: to some
            "style-src 'unsafe-inline'",  # Plotly styles what it draws
            "img-src 'self' file: data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def leaders(columns: Sequence[Column]) -> Table:
    """One row per column: the best proxy, and what counting parameters alone reaches."""
    rows = []
    for column in columns:
        ranked = column.summary.sort_values("spearman_mean", ascending=False, kind="stable")
        size = ranked[ranked["proxy"] == "params"]
        rows.append(
            {
                "column": column.label,
                "best proxy": str(ranked["proxy"].iloc[0]),
                "ρ": _rho(ranked.iloc[0]),
                "ρ of params": _rho(size.iloc[0]) if len(size) else float("nan"),
                "n": column.n,
                "seeds": column.seeds,
            }
        )
    names = {"n": "architectures per seed"}
    return _right(table(pd.DataFrame(rows), "Best proxy of every column", names=names), "ρ")


def correlations(columns: Sequence[Column]) -> Table:
    """Every proxy on every column, with the time that a score takes."""
    rows = [
        {
            "column": column.label,
            "proxy": row["proxy"],
            "ρ": row["spearman_mean"],
            "95 % interval": _interval(row),
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
    caption = "Every proxy on every column"
    return _right(table(pd.DataFrame(rows), caption, limit=None), "95 % interval")


def _interval(row: dict[Any, Any]) -> Cell | float:
    low, high = row["spearman_low"], row["spearman_high"]
    return low if pd.isna(low) else Cell(f"{printed(low)} to {printed(high)}", repr(low), "number")


def _rho(row: pd.Series[Any]) -> Cell:
    text = (
        f"{printed(row['spearman_mean'])} "
        f"({printed(row['spearman_low'])} to {printed(row['spearman_high'])})"
    )
    return Cell(text, repr(float(row["spearman_mean"])), "number")


def _right(made: Table, start: str) -> Table:
    """Right-aligns the columns of ready-made number cells, whose names begin with ``start``."""
    columns = [(name, right or name.startswith(start)) for name, right in made.columns]
    return replace(made, columns=columns)


def _captioned(folder: Folder, name: str, caption: str) -> Table | None:
    found = folder.tables.get(name)
    return found and arranged(replace(found, caption=caption), VERDICT)


def _without(folder: Folder, *names: str) -> Folder:
    """Leaves out tables that have a place of their own."""
    return replace(folder, tables={k: v for k, v in folder.tables.items() if k not in names})


def _json(figure: go.Figure) -> dict[str, Any]:
    return dict(json.loads(figure.to_json()))

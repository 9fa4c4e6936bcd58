"""The report of a run: how each part ended, what it planned and what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_report(out: Path, device: str, limit: float, ended: Sequence[Mapping[str, Any]]) -> None:
    """Writes ``report.md`` from the parts' JSON files."""
    lines = [f"# GPU run: device={device}, {limit:g} s", ""]
    if not device.startswith("cuda"):
        lines += ["A rehearsal: the CPU stands in for the GPU, no time here is a GPU's.", ""]
    lines += table([dict(one) for one in ended])
    for one in ended:
        lines += ["", f"## {one['part']}", ""]
        path = out / f"{one['part']}.json"
        facts = json.loads(path.read_text()) if path.exists() else {}
        lines += [line for name, value in facts.items() for line in told(name, value)]
        lines += [] if facts else ["Nothing was recorded; see log.txt."]
    (out / "report.md").write_text("\n".join(lines) + "\n")


def told(name: str, value: Any) -> list[str]:
    """Tells one fact: a table as a table, anything else as a line."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return ["", f"{name}:", "", *table(value), ""]
    if isinstance(value, list):
        return [f"- {name}: {len(value)}, in the JSON file"] if value else [f"- {name}: none"]
    if isinstance(value, dict):
        value = ", ".join(f"{key} {shown(one)}" for key, one in value.items())
    return [f"- {name}: {shown(value)}"]


def table(rows: Sequence[Mapping[str, Any]], most: int = 60) -> list[str]:
    """Returns a Markdown table; the JSON file has the rows that are too many to read."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows[:most]:
        lines.append("| " + " | ".join(shown(row.get(column, "")) for column in columns) + " |")
    return lines + ([f"\n{len(rows) - most} more rows."] if len(rows) > most else [])


def shown(value: Any) -> str:
    """Shows numbers with four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

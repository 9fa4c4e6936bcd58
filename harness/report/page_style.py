"""Colours and fonts that the figures share with the page's style sheet."""

from __future__ import annotations

from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
INK, MUTED, GRID = "#1b1f24", "#57606a", "#dfe3e8"
# Okabe & Ito: distinct under all common colour-vision deficiencies.
BLUE, ORANGE = "#0072B2", "#D55E00"
LABEL: dict[str, Any] = {
    "bgcolor": "white",
    "bordercolor": INK,
    "font": {"family": FONT, "size": 13, "color": INK},
    "align": "left",
    "namelength": -1,
}

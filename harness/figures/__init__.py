"""Pictures and tables of finished scores; nothing here knows how a score arises."""

from matplotlib.figure import Figure

from harness.figures.cells import cells
from harness.figures.curves import Curve, CurvePanel, curves, histogram
from harness.figures.heatmap import correlation_heatmap, heatmap, printed
from harness.figures.intervals import intervals
from harness.figures.panels import Panel, panels
from harness.figures.scatter import scatter
from harness.figures.search import size_control, trajectory
from harness.figures.sensitivity import sensitivity
from harness.figures.style import save
from harness.figures.tables import markdown, write_tables
from harness.figures.terminal import plain_table, results_table

__all__ = [
    "Curve",
    "CurvePanel",
    "Figure",
    "Panel",
    "cells",
    "correlation_heatmap",
    "curves",
    "heatmap",
    "histogram",
    "intervals",
    "markdown",
    "panels",
    "plain_table",
    "printed",
    "results_table",
    "save",
    "scatter",
    "sensitivity",
    "size_control",
    "trajectory",
    "write_tables",
]

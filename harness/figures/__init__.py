"""Pictures and tables of finished scores; nothing here knows how a score arises."""

from matplotlib.figure import Figure

from harness.core.printing import printed
from harness.figures.cells import cells
from harness.figures.critical_differences import critical_differences
from harness.figures.curves import Curve, CurvePanel, curves, histogram
from harness.figures.heatmap import NOISE_CEILING, correlation_heatmap, heatmap
from harness.figures.intervals import intervals
from harness.figures.panels import Panel, panels
from harness.figures.scatter import scatter
from harness.figures.search_curves import size_control, trajectory
from harness.figures.sensitivity_curves import sensitivity
from harness.figures.style import save
from harness.figures.tradeoff import tradeoff
from harness.results.table_files import markdown, write_tables
from harness.results.terminal import plain_table, results_table

__all__ = [
    "NOISE_CEILING",
    "Curve",
    "CurvePanel",
    "Figure",
    "Panel",
    "cells",
    "correlation_heatmap",
    "critical_differences",
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
    "tradeoff",
    "trajectory",
    "write_tables",
]

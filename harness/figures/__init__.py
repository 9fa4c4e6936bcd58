"""Pictures and tables of finished scores; nothing here knows how a score arises."""

from harness.figures.heatmap import correlation_heatmap, heatmap
from harness.figures.intervals import intervals
from harness.figures.scatter import scatter
from harness.figures.style import save
from harness.figures.tables import markdown, write_tables
from harness.figures.terminal import plain_table, results_table

__all__ = [
    "correlation_heatmap",
    "heatmap",
    "intervals",
    "markdown",
    "plain_table",
    "results_table",
    "save",
    "scatter",
    "write_tables",
]

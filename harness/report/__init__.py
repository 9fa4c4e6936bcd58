"""The HTML report: one page that shows finished results and where they come from."""

from harness.report.columns import Column, find_columns
from harness.report.page import Origin, write_report

__all__ = ["Column", "Origin", "find_columns", "write_report"]

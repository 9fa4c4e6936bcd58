"""What a run can do; each job takes the configuration and returns where its result lies."""

from harness.jobs import agreement, analysis, correlate, document, make_bank, report, train_truth
from harness.jobs.base import jobs

__all__ = ["agreement", "analysis", "correlate", "document", "jobs", "make_bank", "report", "train_truth"]

"""What a run can do; each job takes the configuration and returns where its result lies."""

from harness.jobs import agreement, correlate, document, make_bank, train_truth
from harness.jobs.base import jobs

__all__ = ["agreement", "correlate", "document", "jobs", "make_bank", "train_truth"]

"""What a run can do; each job takes the configuration and returns where its result lies."""

from harness.jobs import (
    agreement,
    analysis,
    compare_searches,
    correlate,
    document,
    make_bank,
    operation_scores,
    paper,
    report,
    sensitivity,
    size_control,
    swap_nas,
    train,
    train_truth,
    zero_cost_pt,
)
from harness.jobs.base import jobs

__all__ = [
    "agreement",
    "analysis",
    "compare_searches",
    "correlate",
    "document",
    "jobs",
    "make_bank",
    "operation_scores",
    "paper",
    "report",
    "sensitivity",
    "size_control",
    "swap_nas",
    "train",
    "train_truth",
    "zero_cost_pt",
]

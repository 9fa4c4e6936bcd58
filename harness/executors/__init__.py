"""Where shards of work run. An executor only maps a function over work items."""

from harness.executors import local, processes, ray, slurm
from harness.executors.base import Executor, executors
from harness.executors.settings import ExecutorSettings

__all__ = ["Executor", "ExecutorSettings", "executors", "local", "processes", "ray", "slurm"]

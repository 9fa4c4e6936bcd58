"""Where shards of work run. An executor only maps a function over work items."""

from harness.executors import local, processes
from harness.executors.base import Executor, ExecutorSettings, executors

__all__ = ["Executor", "ExecutorSettings", "executors", "local", "processes"]

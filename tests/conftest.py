"""Settings for all tests."""

import os
import signal

# Several tests at once share the cores; threads of torch that wait for each other cost minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# A shared machine may be slow at any moment, so no example has a deadline.
settings.register_profile("harness", deadline=None, derandomize=True)
settings.load_profile("harness")

# Started in the background, these tests would ignore Ctrl-C, and so would the runs that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Skips what needs the public data files where there is no mirror of them."""
    if os.environ.get("HARNESS_MIRROR"):
        return
    for item in items:
        if item.get_closest_marker("mirror"):
            item.add_marker(pytest.mark.skip(reason="HARNESS_MIRROR is not set"))

"""Settings for all tests."""

import signal

from hypothesis import settings

# A shared machine may be slow at any moment, so no example has a deadline.
settings.register_profile("harness", deadline=None, derandomize=True)
settings.load_profile("harness")

# Started in the background, these tests would ignore Ctrl-C, and so would the runs that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

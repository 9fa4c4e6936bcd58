"""Settings for all tests."""

from hypothesis import settings

# A shared machine may be slow at any moment, so no example has a deadline.
settings.register_profile("harness", deadline=None, derandomize=True)
settings.load_profile("harness")

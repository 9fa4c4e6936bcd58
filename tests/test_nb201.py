"""NAS-Bench-201: the exact networks, keys and counts."""

from hypothesis import strategies as st

from harness.spaces import nb201, spaces

space = spaces.get("nb201")
operations = st.tuples(*[st.sampled_from(nb201.OPERATIONS)] * 6)

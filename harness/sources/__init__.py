"""Outside files: which there are, fetched, verified, converted once, read safely."""

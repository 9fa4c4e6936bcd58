"""The papers' figures and tables from stored results, beside the printed numbers."""

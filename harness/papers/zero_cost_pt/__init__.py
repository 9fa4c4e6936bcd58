"""The Zero-Cost-PT paper's figures and tables from stored results."""

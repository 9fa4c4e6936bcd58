"""The SWAP paper's figures and tables from stored results."""

"""Analyses of finished results, each a function that leaves tables and pictures."""

"""Faults at random, counted: kills, command lines, calls and flipped bits.

``make torture`` runs it. Nothing here is a test that pytest finds: another seed is another
campaign, and what it finds becomes a test of its own beside this folder.
"""

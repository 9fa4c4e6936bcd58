"""Scores: one network (engine), which networks (study), under which conditions, kept in shards."""

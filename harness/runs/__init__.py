"""Runs that can be killed and started again: what is asked for, what is missing, its shards."""

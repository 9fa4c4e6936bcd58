"""The networks that keys stand for: a space imports its own, and torch, when it builds one."""

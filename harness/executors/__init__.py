"""Where shards of work run. An executor only maps a function over work items."""

"""Services in the system's namespace: the registry, databases, and Jobs that create buckets."""

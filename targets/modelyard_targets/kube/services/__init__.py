"""Services that the system runs for itself: the registry, databases, and Jobs that create buckets."""

"""What the system runs for itself: a registry, databases, and Jobs that make buckets."""

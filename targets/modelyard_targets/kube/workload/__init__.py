"""What all workloads get: a Ray cluster, a description, an environment, and a login."""

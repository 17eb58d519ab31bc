"""Parts common to all workloads: Ray cluster, description, environment and registry login."""

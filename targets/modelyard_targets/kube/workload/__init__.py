"""Parts that workloads share: Ray cluster, description, environment and registry login."""

"""The Kubernetes Jobs of pipelines, started by a schedule, by another run, or after a breach."""

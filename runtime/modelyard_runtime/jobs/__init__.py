"""The Kubernetes Jobs of pipelines, started by schedules, other runs or breaches."""

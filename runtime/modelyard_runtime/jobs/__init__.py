"""The Kubernetes Jobs of pipelines, which are started by schedules, other runs and breaches."""
